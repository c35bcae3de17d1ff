import { create } from "@bufbuild/protobuf";
import type { Caller } from "@holdfast/gateway";
import { FleetCommandSchema, type FleetCommand } from "@holdfast/proto/fleet/v1/fleet";
import type { Steering } from "../faults/fault-injector.ts";
import { type Outcome, PatientCaller, type PatientCallerParts } from "./patient-caller.ts";

/** An administrator looks so often, and so many times, whether a node is empty and may be removed. */
const emptyCheckMs = 400;
const emptyChecksMax = 12;

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

  removeOrActivate(machine: string, onRemoved: () => void): void {
    const ask = (triesLeft: number): void =>
      this.#order(
        machine,
        (nodeId) => ({ case: "removeNode", value: { nodeId, isForced: false } }),
        async (outcome) => {
          if (outcome.kind === "done") return onRemoved();
          if (triesLeft === 0) return this.activate(machine);
          await this.#parts.process.timers.sleep(emptyCheckMs);
          ask(triesLeft - 1);
        },
      );
    ask(emptyChecksMax);
  }

  /** Resolves when every order was answered. */
  async settled(): Promise<void> {
    // An answer may have led to another order.
    for (const order of this.#orders) await order;
  }

  #order(
    machine: string,
    commandOf: (nodeId: number) => NonNullable<Parameters<typeof wrap>[0]>,
    onAnswer?: (outcome: Outcome<unknown>) => void | Promise<void>,
  ): void {
    const nodeId = this.#parts.nodeIdOn(machine);
    if (nodeId === undefined) return;
    const command = wrap(commandOf(nodeId));
    // One after the other: what is taken back must have been given away before.
    const before = this.#orders.at(-1) ?? Promise.resolve();
    this.#orders.push(
      before.then(async () => {
        await onAnswer?.(
          await this.#patient.call(({ fleet }, scope) => fleet.change(this.#parts.caller, command, scope)),
        );
      }),
    );
  }
}

type CommandInit = NonNullable<Parameters<typeof create<typeof FleetCommandSchema>>[1]>["command"];

function wrap(command: CommandInit): FleetCommand {
  return create(FleetCommandSchema, command === undefined ? {} : { command });
}
