import { runSeedPool, type SeedOrder } from "../run/seed-pool.ts";
import { defectBank, type PlantedDefect } from "./bank.ts";

/** What became of one defect. */
export interface HuntResult {
  readonly defect: PlantedDefect;
  /** Seeds that were run until it was caught, or all of them. */
  readonly seedCount: number;
  /** The seed that caught it, and what it said; undefined: none did. */
  readonly caught: { readonly seed: number; readonly violation: string } | undefined;
}

/** How far the hunt goes. */
export interface HuntOptions {
  readonly workers: number;
  /** Seeds tried for each defect, from 1 on. */
  readonly seedsMax: number;
  readonly onResult?: (result: HuntResult) => void;
}

interface Hunted {
  readonly defect: PlantedDefect;
  nextSeed: number;
  doneCount: number;
  result: HuntResult | undefined;
}

/** Plants every defect of the bank, one at a time, and runs seeds 1, 2, 3 ... until one of them is red. */
export async function huntDefects(options: HuntOptions): Promise<readonly HuntResult[]> {
  const hunts: Hunted[] = defectBank.map((defect) => ({ defect, nextSeed: 1, doneCount: 0, result: undefined }));
  await runSeedPool({
    workers: options.workers,
    next: () => nextOrder(hunts, options.seedsMax),
    onAnswer: ({ seed, defect, report }) => {
      const hunt = hunts.find((one) => one.defect.name === defect);
      if (hunt === undefined || hunt.result !== undefined) return;
      hunt.doneCount++;
      const [violation] = report.violations;
      if (violation !== undefined) hunt.result = { defect: hunt.defect, seedCount: seed, caught: { seed, violation } };
      else if (hunt.doneCount === options.seedsMax)
        hunt.result = { defect: hunt.defect, seedCount: options.seedsMax, caught: undefined };
      if (hunt.result !== undefined) options.onResult?.(hunt.result);
    },
  });
  return hunts.flatMap(({ result }) => (result === undefined ? [] : [result]));
}

/** The first defect that is still at large. */
function nextOrder(hunts: readonly Hunted[], seedsMax: number): SeedOrder | undefined {
  const hunt = hunts.find((one) => one.result === undefined && one.nextSeed <= seedsMax);
  if (hunt === undefined) return undefined;
  return { seed: hunt.nextSeed++, defect: hunt.defect.name };
}
