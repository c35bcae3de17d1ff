/** Runs `work` over all items, at most `concurrencyMax` at a time, in order of the iterable. The first throw ends it. */
export async function forEachConcurrently<T>(
  items: Iterable<T> | AsyncIterable<T>,
  concurrencyMax: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  for await (const item of items) {
    const task = work(item).finally(() => running.delete(task));
    // Its rejection is seen by the race or by the final wait.
    task.catch(() => undefined);
    running.add(task);
    if (running.size >= concurrencyMax) await Promise.race(running);
  }
  await Promise.all(running);
}
