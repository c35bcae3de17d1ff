import type { FleetRead } from "./fleet-read.ts";

/**
 * Takes the steps of a computation one by one, so that heartbeats are read and proposals go out in between. It rests on one
 * look; what changes meanwhile is for the next question. Errors: `cancelled` when nobody waits for it any more.
 */
export async function inSlices<T>(
  steps: Generator<undefined, T, undefined>,
  { pause, signal }: Pick<FleetRead, "pause" | "signal">,
): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await pause();
    signal.throwIfAborted();
  }
}
