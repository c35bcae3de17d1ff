import { HoldfastError } from "@holdfast/base";
import type { Timers } from "@holdfast/runtime";
import type { LogIndex } from "../core/types.ts";
import type { AppliedWaiters } from "./applied-waiters.ts";
import type { Reads } from "./reads.ts";

/** What a linearizable read goes through. */
export interface ReadPath {
  readonly reads: Reads;
  readonly waiters: AppliedWaiters;
  readonly timers: Timers;
  readonly timeoutMs: number;
}

/**
 * Asks for a read index and waits until it is applied here, for at most `timeoutMs` in all.
 * Errors: as `RaftNode.readIndex`.
 */
export async function readLinearizably(path: ReadPath, signal: AbortSignal | undefined): Promise<LogIndex> {
  const limit = new AbortController();
  const giveUp = (): void => limit.abort();
  const timer = path.timers.after(path.timeoutMs, giveUp);
  signal?.addEventListener("abort", giveUp, { once: true });
  if (signal?.aborted === true) giveUp();
  try {
    const index = await untilAborted(path.reads.add(), limit.signal);
    await path.waiters.wait(index, limit.signal);
    return index;
  } catch (error) {
    if (signal?.aborted === true) throw new HoldfastError("cancelled", "the caller gave up the read");
    if (!limit.signal.aborted) throw error;
    throw new HoldfastError(
      "deadline",
      "no majority of the masters confirmed the read in time; nothing was read. Try again",
    );
  } finally {
    timer.cancel();
    signal?.removeEventListener("abort", giveUp);
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new HoldfastError("cancelled", "given up"));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
