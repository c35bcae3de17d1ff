import { isHoldfastError } from "@holdfast/base";
import { setTimeout as delay } from "node:timers/promises";

/** How long a transfer keeps trying while the server is away: a gateway or leader that was killed is back well before. */
const retryForMs = 120_000;
const delaysMs = [250, 500, 1_000, 2_000, 4_000, 8_000];

/** Runs `attempt` again after failures that a later try may not have; everything it does must be idempotent. */
export async function withRetries<T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const startedAtMs = performance.now();
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const isPassing = isHoldfastError(error, "unavailable", "tooBusy", "notLeader", "deadline");
      if (!isPassing || signal?.aborted === true || performance.now() - startedAtMs > retryForMs) throw error;
      const base = delaysMs[Math.min(tries, delaysMs.length - 1)] ?? 8_000;
      await delay(base * (0.75 + Math.random() / 2), undefined, signal === undefined ? {} : { signal });
    }
  }
}
