import { HoldfastError, isPlanted } from "@holdfast/base";
import type { RaftNode } from "@holdfast/raft";

/** How fresh a read must be. */
export interface ReadWish {
  /** 0 = linearizable; else this master may answer once it has applied that index. */
  readonly atLeastIndex: number;
  readonly signal: AbortSignal;
}

/**
 * Says when applied state may be read. Linearizable reads share a ReadIndex round: those that arrive while one is under
 * way wait for the next one, because the one under way may have taken its index before they began.
 */
export class ReadGate {
  private readonly raft: RaftNode;
  private current: Promise<number> | undefined;
  private next: Promise<number> | undefined;

  constructor(raft: RaftNode) {
    this.raft = raft;
  }

  /** Resolves when applied state is fresh enough. Errors: `notLeader`, `unavailable`, `deadline`, `cancelled`. */
  async pass(wish: ReadWish): Promise<void> {
    if (wish.signal.aborted) throw givenUp();
    if (isPlanted("staleRead")) return;
    if (wish.atLeastIndex > 0) {
      if (this.raft.status().appliedIndex >= wish.atLeastIndex) return;
      await this.raft.waitApplied(wish.atLeastIndex as Parameters<RaftNode["waitApplied"]>[0], wish.signal);
      return;
    }
    await untilAborted(this.round(), wish.signal);
  }

  private round(): Promise<number> {
    if (this.current === undefined) {
      this.current = this.start();
      return this.current;
    }
    this.next ??= this.current.then(
      () => this.startNext(),
      () => this.startNext(),
    );
    return this.next;
  }

  private startNext(): Promise<number> {
    this.next = undefined;
    this.current = this.start();
    return this.current;
  }

  private start(): Promise<number> {
    const round: Promise<number> = this.raft.readIndex().finally(() => {
      if (this.current === round) this.current = undefined;
    });
    return round;
  }
}

/** The round goes on for the others when one caller gives up. */
function untilAborted(round: Promise<number>, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(givenUp());
    signal.addEventListener("abort", onAbort, { once: true });
    const done = (): void => signal.removeEventListener("abort", onAbort);
    round.then(resolve, reject).finally(done).catch(reject);
  });
}

function givenUp(): HoldfastError {
  return new HoldfastError("cancelled", "The caller gave the read up.");
}
