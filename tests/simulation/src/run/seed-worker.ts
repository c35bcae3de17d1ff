import { withPlanted } from "@holdfast/base/planting";
import { runSeed } from "./run-seed.ts";
import type { SeedAnswer, SeedOrder } from "./seed-pool.ts";

// Errors are made by the thousand when connections break; where they were made is asked for when a seed is replayed.
Error.stackTraceLimit = 0;

/** One seed after the other, as the parent asks. */
async function answer({ seed, defect }: SeedOrder): Promise<SeedAnswer> {
  const report = defect === undefined ? await runSeed(seed) : await withPlanted(defect, () => runSeed(seed));
  return { seed, defect, report };
}

async function serve(order: SeedOrder): Promise<void> {
  process.send?.(await answer(order));
}

process.on("message", (order) => {
  serve(order as SeedOrder).catch((error: unknown) => {
    throw error;
  });
});
