import { HoldfastError } from "@holdfast/base";
import type { Timers } from "@holdfast/runtime";
import type { ReadMode } from "../core/input.ts";
import type { LogIndex } from "../core/types.ts";
import type { AppliedWaiters } from "./applied-waiters.ts";
import type { Reads } from "./reads.ts";

/** What a linearizable read goes through. */
export interface ReadPath {
  readonly reads: Reads;
  readonly waiters: AppliedWaiters;
  readonly timers: Timers;
  readonly timeoutMs: number;
  readonly mode: ReadMode;
}

/**
 * Asks for a read index and waits until it is applied here, for at most `timeoutMs` in all.
 * Errors: as `RaftNode.readIndex`.
 */
export function readLinearizably(path: ReadPath, signal: AbortSignal | undefined): Promise<LogIndex> {
  return new Promise((resolve, reject) => {
    // Hardly ever needed: where the read index is confirmed, it is mostly applied already.
    let waiting: AbortController | undefined;
    let isOver = false;
    const end = (): void => {
      isOver = true;
      timer.cancel();
      signal?.removeEventListener("abort", onAbort);
    };
    const giveUp = (error: HoldfastError): void => {
      end();
      waiting?.abort(error);
      reject(error);
    };
    const onAbort = (): void => giveUp(new HoldfastError("cancelled", "the caller gave up the read"));
    const timer = path.timers.after(path.timeoutMs, () => giveUp(unconfirmed()));
    if (signal?.aborted === true) return onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    const untilApplied = async (): Promise<LogIndex> => {
      const index = await path.reads.add(path.mode);
      if (isOver || index <= path.waiters.appliedIndex) return index;
      waiting = new AbortController();
      await path.waiters.wait(index, waiting.signal);
      return index;
    };
    untilApplied().finally(end).then(resolve, reject);
  });
}

function unconfirmed(): HoldfastError {
  return new HoldfastError(
    "deadline",
    "no majority of the masters confirmed the read in time; nothing was read. Try again",
  );
}
