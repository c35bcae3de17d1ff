import { create } from "@bufbuild/protobuf";
import type { Caller } from "@holdfast/gateway";
import { FleetCommandSchema, type FleetCommand } from "@holdfast/proto/fleet/v1/fleet";
import type { Steering } from "../faults/fault-injector.ts";
import { PatientCaller, type PatientCallerParts } from "./patient-caller.ts";

/** What an administrator needs. */
export interface AdministratorParts extends PatientCallerParts {
  readonly caller: Caller;
  /** The id of the node on a machine now. */
  readonly nodeIdOn: (machine: string) => number | undefined;
}

/** Orders nodes to be emptied and taken back, and does not mind a refusal: the cluster knows why. */
export class Administrator implements Steering {
  readonly #parts: AdministratorParts;
  readonly #patient: PatientCaller;
  readonly #orders: Promise<void>[] = [];

  constructor(parts: AdministratorParts) {
    this.#parts = parts;
    this.#patient = new PatientCaller(parts);
  }

  drain(machine: string): void {
    this.#order(machine, (nodeId) => ({ case: "drainNode", value: { nodeId } }));
  }

  activate(machine: string): void {
    this.#order(machine, (nodeId) => ({ case: "activateNode", value: { nodeId } }));
  }

  /** Resolves when every order was answered. */
  async settled(): Promise<void> {
    await Promise.all(this.#orders);
  }

  #order(machine: string, commandOf: (nodeId: number) => NonNullable<Parameters<typeof wrap>[0]>): void {
    const nodeId = this.#parts.nodeIdOn(machine);
    if (nodeId === undefined) return;
    const command = wrap(commandOf(nodeId));
    // One after the other: what is taken back must have been given away before.
    const before = this.#orders.at(-1) ?? Promise.resolve();
    this.#orders.push(
      before.then(async () => {
        await this.#patient.call(({ fleet }, scope) => fleet.change(this.#parts.caller, command, scope));
      }),
    );
  }
}

type CommandInit = NonNullable<Parameters<typeof create<typeof FleetCommandSchema>>[1]>["command"];

function wrap(command: CommandInit): FleetCommand {
  return create(FleetCommandSchema, command === undefined ? {} : { command });
}
