import { setTimeout as delay } from "node:timers/promises";

/** Polls a condition; throws with its name when it did not come true in time. Throws at once when the condition throws. */
export async function waitFor(
  name: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const untilMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > untilMs) throw new Error(`waited ${timeoutMs} ms in vain for ${name}`);
    await delay(25);
  }
}
