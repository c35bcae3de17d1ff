import { nameOfApplied, type AppliedCommand } from "./register-machine.ts";
import type { RaftStatus } from "../../src/api.ts";

/** A broken promise; the run ends. */
export class VoprViolation extends Error {
  override readonly name = "VoprViolation";
}

/**
 * What must hold between the members after every step: told by their state machines at every entry, by their events at
 * every change, and by looking at their status. Throws nothing: keeps the first violation, because it is called from
 * inside of the members.
 */
export class SafetyChecker {
  violation: VoprViolation | undefined;
  readonly #leaders = new Map<number, number>();
  /** What anybody ever applied at an index. */
  readonly #chosen = new Map<number, string>();
  readonly #commandIndex = new Map<number, number>();
  readonly #statuses = new Map<string, RaftStatus>();
  /** Commands that were told not to have happened. */
  readonly #refused = new Set<number>();
  highestIndex = 0;
  /** Entries that disks had lost and leaders gave back. */
  repairedEntries = 0;

  /** Keeps the first. */
  fail(message: string): void {
    this.violation ??= new VoprViolation(message);
  }

  /** State machine safety: nobody applies anything else at an index, and no command twice. */
  applied(member: number, applied: AppliedCommand): void {
    const name = nameOfApplied(applied);
    const known = this.#chosen.get(applied.index);
    if (known !== undefined && known !== name) {
      this.fail(`state machine safety: member ${member} applies ${name} where ${known} was applied`);
    }
    this.#chosen.set(applied.index, name);
    const { id } = applied.command;
    const before = this.#commandIndex.get(id);
    if (before !== undefined && before !== applied.index)
      this.fail(`command ${id} is applied at ${before} and ${applied.index}`);
    this.#commandIndex.set(id, applied.index);
    if (this.#refused.has(id)) this.fail(`command ${id} is applied although it was told not to have happened`);
    this.highestIndex = Math.max(this.highestIndex, applied.index);
  }

  /** A command was acknowledged at this index. */
  acknowledged(id: number, index: number, term: number): void {
    const known = this.#chosen.get(index);
    if (known !== `${index}/${term}:${id}`)
      this.fail(`command ${id} is acknowledged at ${index}/${term}, where ${known ?? "nothing"} is applied`);
  }

  /** A command was told not to have happened. */
  refused(id: number): void {
    this.#refused.add(id);
    if (this.#commandIndex.has(id)) this.fail(`command ${id} is told not to have happened, and was applied`);
  }

  /** Whether anybody ever applied this command. */
  wasApplied(id: number): boolean {
    return this.#commandIndex.has(id);
  }

  /** Election safety, and that nothing of one process's life goes back. */
  looked(process: string, status: RaftStatus): void {
    const { id, term, commitIndex, appliedIndex, lastIndex, firstIndex } = status;
    if (status.role === "leader") {
      const leader = this.#leaders.get(term) ?? id;
      if (leader !== id) this.fail(`election safety: members ${leader} and ${id} lead term ${term}`);
      this.#leaders.set(term, leader);
    }
    if (appliedIndex > commitIndex)
      this.fail(`member ${id} applied ${appliedIndex} beyond its commit index ${commitIndex}`);
    if (commitIndex > lastIndex) this.fail(`member ${id} committed ${commitIndex} beyond its log's end ${lastIndex}`);
    if (firstIndex > lastIndex + 1)
      this.fail(`member ${id} begins its log at ${firstIndex}, behind its end ${lastIndex}`);
    const before = this.#statuses.get(process);
    if (before !== undefined) {
      if (term < before.term) this.fail(`member ${id} goes back from term ${before.term} to ${term}`);
      if (commitIndex < before.commitIndex)
        this.fail(`member ${id} goes back from commit index ${before.commitIndex} to ${commitIndex}`);
      if (appliedIndex < before.appliedIndex)
        this.fail(`member ${id} goes back from applied ${before.appliedIndex} to ${appliedIndex}`);
    }
    this.#statuses.set(process, status);
  }

  /** At the end: this member has every acknowledged command it should have, up to its applied index. */
  finished(member: number, all: readonly AppliedCommand[], appliedIndex: number): void {
    const have = new Set(all.map(nameOfApplied));
    for (const [index, name] of this.#chosen) {
      if (index <= appliedIndex && !have.has(name)) this.fail(`member ${member} lost ${name}, which was applied`);
    }
  }

  /** Terms with a leader. */
  get terms(): number {
    return this.#leaders.size;
  }
}
