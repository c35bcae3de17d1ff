import { assert, must } from "@holdfast/base";
import { registerModel, refusedStep, type RegisterInput, type RegisterOutput } from "@holdfast/base/linearizability";
import type {
  CommittedEntry,
  SnapshotPiece,
  SnapshotSupport,
  StateInstallation,
  StateMachine,
  StateSnapshot,
} from "../../src/api.ts";
import type { LogIndex, Term } from "../../src/core/types.ts";

/** What a client asks the group to do, as it stands in the log. */
export interface RegisterCommand {
  /** Unique in a run. */
  readonly id: number;
  readonly key: string;
  readonly input: Exclude<RegisterInput, { kind: "read" }>;
}

/** An applied command: everything about the state follows from these. */
export interface AppliedCommand {
  readonly index: number;
  readonly term: number;
  readonly command: RegisterCommand;
}

/** The bytes of a command. */
export function encodeCommand(command: RegisterCommand): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(command));
}

/** Registers by key, as a state machine that keeps all it ever applied. A crash takes it back to a point since its last flush. */
export class RegisterMachine implements StateMachine {
  #applied: AppliedCommand[] = [];
  #appliedIndex = 0 as LogIndex;
  /** Points a crash may lead back to: the last flush, and every batch since. */
  #points: { readonly index: LogIndex; readonly count: number }[] = [{ index: 0 as LogIndex, count: 0 }];
  readonly #values = new Map<string, string | undefined>();
  readonly #outputs = new Map<number, RegisterOutput>();
  readonly #onApplied: (applied: AppliedCommand) => void;

  constructor(onApplied: (applied: AppliedCommand) => void) {
    this.#onApplied = onApplied;
  }

  appliedIndex(): LogIndex {
    return this.#appliedIndex;
  }

  async apply(entries: readonly CommittedEntry[], throughIndex: LogIndex): Promise<void> {
    for (const { index, term, data } of entries) {
      const command = JSON.parse(new TextDecoder().decode(data)) as RegisterCommand;
      this.#add({ index, term, command });
    }
    assert(throughIndex > this.#appliedIndex, "state machines only move forward");
    this.#appliedIndex = throughIndex;
    this.#points.push({ index: throughIndex, count: this.#applied.length });
  }

  async flush(): Promise<void> {
    this.#points = [{ index: this.#appliedIndex, count: this.#applied.length }];
  }

  /** Loses a part of what was not flushed. `pick` chooses among the points, the oldest being 0. */
  crash(pick: (count: number) => number): void {
    const point = must(this.#points[pick(this.#points.length)], "a point is chosen");
    const kept = this.#applied.slice(0, point.count);
    this.#restart(kept, point.index);
  }

  /** Everything is gone. */
  wipe(): void {
    this.#restart([], 0 as LogIndex);
  }

  /** What is here, for a backup. */
  backup(): { readonly applied: readonly AppliedCommand[]; readonly index: LogIndex } {
    const flushed = must(this.#points[0], "there was a beginning");
    return { applied: this.#applied.slice(0, flushed.count), index: flushed.index };
  }

  /** A backup takes the place of what is here. */
  restore(backup: { readonly applied: readonly AppliedCommand[]; readonly index: LogIndex }): void {
    this.#restart([...backup.applied], backup.index);
  }

  #restart(kept: readonly AppliedCommand[], index: LogIndex): void {
    this.#applied = [];
    this.#values.clear();
    this.#outputs.clear();
    for (const applied of kept) this.#add(applied);
    this.#appliedIndex = index;
    this.#points = [{ index, count: kept.length }];
  }

  #add(applied: AppliedCommand): void {
    const { command } = applied;
    const before = this.#values.get(command.key);
    const fits = command.input.kind === "write" || command.input.expected === before;
    const after = registerModel.step(before, command.input, undefined);
    if (after !== refusedStep) this.#values.set(command.key, after);
    this.#outputs.set(command.id, { kind: fits ? "written" : "mismatch" });
    this.#applied.push(applied);
    this.#onApplied(applied);
  }

  /** The present value. */
  read(key: string): string | undefined {
    return this.#values.get(key);
  }

  /** What a command answered. */
  outputOf(id: number): RegisterOutput | undefined {
    return this.#outputs.get(id);
  }

  /** In log order. */
  applied(): readonly AppliedCommand[] {
    return this.#applied;
  }

  readonly snapshots: SnapshotSupport = {
    open: async () => snapshotOf(this.#applied, this.#appliedIndex),
    begin: async () => this.#begin(),
  };

  #begin(): StateInstallation {
    const gathered: AppliedCommand[] = [];
    return {
      add: async ({ data }) => {
        gathered.push(...(JSON.parse(new TextDecoder().decode(data)) as AppliedCommand[]));
      },
      install: async (index) => this.#restart(gathered, index),
      discard: async () => undefined,
    };
  }
}

/** Small pieces, so that a stream can be cut in many places. */
const pieceCommands = 8;

function snapshotOf(applied: readonly AppliedCommand[], index: LogIndex): StateSnapshot {
  const frozen = [...applied];
  return {
    index,
    sizeBytesEstimate: frozen.length * 80,
    close: async () => undefined,
    pieces: (afterKey) => pieces(frozen, afterKey),
  };
}

async function* pieces(frozen: readonly AppliedCommand[], afterKey: Uint8Array): AsyncGenerator<SnapshotPiece> {
  const after = afterKey.length === 0 ? 0 : Number(new TextDecoder().decode(afterKey));
  for (let from = after; from < frozen.length || from === 0; from += pieceCommands) {
    const part = frozen.slice(from, from + pieceCommands);
    yield {
      data: new TextEncoder().encode(JSON.stringify(part)),
      lastKey: new TextEncoder().encode(String(from + pieceCommands)),
    };
    if (frozen.length === 0) return;
  }
}

/** An entry's own name, to compare logs by. */
export function nameOfApplied({ index, term, command }: AppliedCommand): string {
  return `${index}/${term as Term}:${command.id}`;
}
