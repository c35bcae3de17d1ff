import { linkAbort } from "@holdfast/runtime";
import type { ByteBudget } from "./byte-budget.ts";
import type { FileBytes, RequestScope } from "./ports.ts";

/** What a write of bytes to the nodes is bounded by. */
export interface WriteGuard {
  readonly bytes: FileBytes;
  readonly budget: ByteBudget;
  /** What one upload may hold in memory at most. */
  readonly uploadHeldBytesMax: number;
}

/** A write, and what is known of it before. */
export interface GuardedWrite<T> {
  /** Announced bytes, when known; smaller uploads then take a smaller share of the memory. */
  readonly lengthBytes: number | undefined;
  /** Runs beside the write; when it rejects, the write stops and its error is the one that is thrown. */
  readonly check?: (scope: RequestScope) => Promise<void>;
  readonly write: (scope: RequestScope) => Promise<T>;
}

/** Writes within the gateway's memory, and gives up early when the check refuses it. */
export async function writeGuarded<T>(guard: WriteGuard, work: GuardedWrite<T>, scope: RequestScope): Promise<T> {
  const share = Math.min(work.lengthBytes ?? guard.uploadHeldBytesMax, guard.uploadHeldBytesMax);
  const release = await guard.budget.acquire(share, scope.signal);
  const stop = linkAbort(scope.signal);
  const inner: RequestScope = { ...scope, signal: stop.signal };
  let refusal: { readonly thrown: unknown } | undefined;
  const check = work.check?.(inner).catch((thrown: unknown) => {
    refusal ??= { thrown };
    stop.abort();
  });
  try {
    const written = await work.write(inner);
    await check;
    if (refusal !== undefined) throw refusal.thrown;
    return written;
  } catch (thrown) {
    if (refusal !== undefined) throw refusal.thrown;
    stop.abort();
    await check;
    throw thrown;
  } finally {
    stop.release();
    release();
  }
}
