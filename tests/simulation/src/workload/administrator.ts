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
  /** Nodes whose removal was answered: a second order for the same one is answered too, and says nothing of its machine. */
  readonly #removed = new Set<number>();
  /** Machines whose removal is being tried: nobody orders it again meanwhile. */
  readonly #removing = new Set<string>();

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
    if (this.#removing.has(machine)) return;
    this.#removing.add(machine);
    const ask = (triesLeft: number): void => {
      const isAsked = this.#order(
        machine,
        (nodeId) => ({ case: "removeNode", value: { nodeId, isForced: false } }),
        async (outcome, nodeId) => {
          if (outcome.kind === "done") {
            if (!this.#removed.has(nodeId)) onRemoved();
            this.#removed.add(nodeId);
            this.#removing.delete(machine);
            return;
          }
          if (triesLeft === 0) {
            this.#removing.delete(machine);
            return this.activate(machine);
          }
          await this.#parts.process.timers.sleep(emptyCheckMs);
          ask(triesLeft - 1);
        },
      );
      if (!isAsked) this.#removing.delete(machine);
    };
    ask(emptyChecksMax);
  }

  /** Resolves when every order was answered. */
  async settled(): Promise<void> {
    // An answer may have led to another order.
    for (const order of this.#orders) await order;
  }

  /** False when there is no node on the machine. */
  #order(
    machine: string,
    commandOf: (nodeId: number) => NonNullable<Parameters<typeof wrap>[0]>,
    onAnswer?: (outcome: Outcome<unknown>, nodeId: number) => void | Promise<void>,
  ): boolean {
    const nodeId = this.#parts.nodeIdOn(machine);
    if (nodeId === undefined) return false;
    const command = wrap(commandOf(nodeId));
    // One after the other: what is taken back must have been given away before.
    const before = this.#orders.at(-1) ?? Promise.resolve();
    this.#orders.push(
      before.then(async () => {
        await onAnswer?.(
          await this.#patient.call(({ fleet }, scope) => fleet.change(this.#parts.caller, command, scope)),
          nodeId,
        );
      }),
    );
    return true;
  }
}

type CommandInit = NonNullable<Parameters<typeof create<typeof FleetCommandSchema>>[1]>["command"];

function wrap(command: CommandInit): FleetCommand {
  return create(FleetCommandSchema, command === undefined ? {} : { command });
}
