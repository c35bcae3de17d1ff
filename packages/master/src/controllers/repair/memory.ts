import type { ActiveCopy, CopyPurpose } from "./plan.ts";

/** Over which the rate of copying is told. */
const rateWindowMs = 10_000;
/** A node that failed to fetch a chunk is not asked for it again for so many times the time it had. */
const avoidFactor = 4;

/** An order that goes out. */
export interface SentCopy {
  readonly chunkId: number;
  readonly targetId: number;
  /** The first source named. */
  readonly sourceId: number;
  readonly lengthBytes: number;
  readonly purpose: CopyPurpose;
  /** Of a move for balance: the node that gives its copy up; else 0. */
  readonly leavesId: number;
}

interface Sent extends Omit<SentCopy, "sourceId"> {
  readonly firstSentMs: number;
  sourceId: number;
  lastSentMs: number;
}

/** Why an order is out no longer. */
export type CopyEnd = "confirmed" | "obsolete" | "failed";

/**
 * What the leader remembers of its orders: convenience, not truth. What counts is in the log (placed and not confirmed);
 * a new leader starts with nothing and orders the same copies again, which nodes that are at it already ignore.
 */
export class CopyMemory {
  readonly #active = new Map<string, Sent>();
  readonly #avoidedUntilMs = new Map<string, number>();
  #done: { readonly atMs: number; readonly bytes: number; readonly purpose: CopyPurpose }[] = [];
  #sinceMs = new Map<number, number>();
  #doneMoves = 0;

  /** Orders that are out. */
  active(nowMs: number): readonly (ActiveCopy & Pick<SentCopy, "lengthBytes" | "purpose" | "leavesId">)[] {
    return [...this.#active.values()].map((sent) => ({ ...sent, sentAgoMs: nowMs - sent.lastSentMs }));
  }

  /** Moves for balance that ended well since this leader began. */
  get doneMoves(): number {
    return this.#doneMoves;
  }

  /** An order went out, the first time or again. */
  noteSent(copy: SentCopy, nowMs: number): void {
    const key = keyOf(copy.chunkId, copy.targetId);
    const sent = this.#active.get(key);
    if (sent === undefined) this.#active.set(key, { ...copy, firstSentMs: nowMs, lastSentMs: nowMs });
    else Object.assign(sent, { sourceId: copy.sourceId, lastSentMs: nowMs });
  }

  /** Looks at every order that is out: `judge` says how it ended, undefined while it goes on. Gives those that took too long. */
  review(
    judge: (copy: { readonly chunkId: number; readonly targetId: number }) => CopyEnd | undefined,
    { nowMs, giveUpAfterMs }: { readonly nowMs: number; readonly giveUpAfterMs: number },
  ): readonly SentCopy[] {
    const givenUp: SentCopy[] = [];
    for (const [key, sent] of this.#active) {
      const end = judge(sent) ?? (nowMs - sent.firstSentMs >= giveUpAfterMs ? "failed" : undefined);
      if (end === undefined) continue;
      this.#active.delete(key);
      if (end === "confirmed") this.#done.push({ atMs: nowMs, bytes: sent.lengthBytes, purpose: sent.purpose });
      if (end === "confirmed" && sent.purpose === "balance") this.#doneMoves += 1;
      if (end !== "failed") continue;
      this.#avoidedUntilMs.set(key, nowMs + giveUpAfterMs * avoidFactor);
      givenUp.push(sent);
    }
    for (const [key, untilMs] of this.#avoidedUntilMs) if (untilMs <= nowMs) this.#avoidedUntilMs.delete(key);
    return givenUp;
  }

  isAvoided(chunkId: number, nodeId: number): boolean {
    return this.#avoidedUntilMs.size > 0 && this.#avoidedUntilMs.has(keyOf(chunkId, nodeId));
  }

  /** Since when each of these chunks is seen without a break; the others are forgotten. */
  sinceMs(chunkIds: Iterable<number>, nowMs: number): ReadonlyMap<number, number> {
    const next = new Map<number, number>();
    for (const chunkId of chunkIds) next.set(chunkId, this.#sinceMs.get(chunkId) ?? nowMs);
    this.#sinceMs = next;
    return next;
  }

  /** Copied bytes a second over the last seconds, for these purposes. */
  bytesPerSecond(nowMs: number, purposes: readonly CopyPurpose[]): number {
    this.#done = this.#done.filter(({ atMs }) => nowMs - atMs < rateWindowMs);
    const done = this.#done.filter(({ purpose }) => purposes.includes(purpose));
    const oldest = done[0];
    if (oldest === undefined) return 0;
    const bytes = done.reduce((sum, { bytes: some }) => sum + some, 0);
    return Math.round((bytes * 1000) / Math.max(1000, nowMs - oldest.atMs));
  }
}

function keyOf(chunkId: number, nodeId: number): string {
  return `${chunkId}/${nodeId}`;
}
