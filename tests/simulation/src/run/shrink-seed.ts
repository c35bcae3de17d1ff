import { plannedFaults, runSeed } from "./run-seed.ts";
import { optionsOf, type Narrowing } from "./narrowing.ts";
import type { SimulationReport } from "./seed-report.ts";

/** What became of a red seed. */
export interface ShrunkSeed {
  readonly narrowing: Narrowing;
  readonly report: SimulationReport;
  readonly runCount: number;
}

/** How much work it may be. */
export interface ShrinkOptions {
  readonly runsMax: number;
  /** How the run is made; a defect may be planted around it. */
  readonly run?: typeof runSeed;
  readonly onSmaller?: (line: string) => void;
}

/** What a world need not be, one after the other. */
const plainer: readonly NonNullable<Narrowing["shape"]>[] = [
  { losesNode: false },
  { breakProbability: 0 },
  { delayMsMax: 0.5 },
  { clockDriftMax: 0 },
  { diskMsPerMiB: 2 },
  { lineBytesPerMs: 100_000 },
  { gatewayCount: 1 },
  { clientCount: 1 },
  { masterCount: 3 },
  { nodeCount: 4 },
  { chunkSizeBytes: 8 * 1024 },
];

/**
 * Makes a red seed smaller while it stays red in the same way: first the faults (halves, quarters, ... single ones: delta
 * debugging, Zeller 2002), then the world, then the steps. Undefined: the seed is not red.
 */
export async function shrinkSeed(seed: number, options: ShrinkOptions): Promise<ShrunkSeed | undefined> {
  const run = options.run ?? runSeed;
  const first = await run(seed);
  if (first.violations.length === 0) return undefined;
  const shrinking = new Shrinking(seed, { ...options, run }, first);
  await shrinking.dropFaults(plannedFaults(seed).map((_, index) => index));
  for (const shape of plainer) await shrinking.tryPlainer(shape);
  await shrinking.dropSteps();
  // What the world's plainness made superfluous.
  await shrinking.dropFaults(shrinking.smallest.narrowing.faults ?? []);
  return shrinking.smallest;
}

class Shrinking {
  smallest: ShrunkSeed;
  readonly #seed: number;
  readonly #options: Required<Pick<ShrinkOptions, "run" | "runsMax">> & ShrinkOptions;
  readonly #wanted: string;
  #runCount = 1;

  constructor(
    seed: number,
    options: Required<Pick<ShrinkOptions, "run" | "runsMax">> & ShrinkOptions,
    first: SimulationReport,
  ) {
    this.#seed = seed;
    this.#options = options;
    this.#wanted = signatureOf(first);
    this.smallest = { narrowing: {}, report: first, runCount: 1 };
  }

  async dropFaults(all: readonly number[]): Promise<void> {
    let kept = all;
    for (let parts = 1; parts <= Math.max(1, kept.length);) {
      const size = Math.ceil(kept.length / parts);
      const tries = Array.from({ length: parts }, (_, part) =>
        kept.filter((_fault, index) => index < part * size || index >= (part + 1) * size),
      );
      let dropped: readonly number[] | undefined;
      for (const faults of tries) {
        if (faults.length < kept.length && (await this.#isStillRed({ faults }))) {
          dropped = faults;
          break;
        }
      }
      if (dropped === undefined) parts *= 2;
      else {
        kept = dropped;
        parts = Math.max(1, parts >> 1);
      }
      if (kept.length === 0) return;
    }
  }

  async tryPlainer(shape: NonNullable<Narrowing["shape"]>): Promise<void> {
    await this.#isStillRed({ shape: { ...this.smallest.narrowing.shape, ...shape } });
  }

  async dropSteps(): Promise<void> {
    let steps = this.smallest.report.operationCount;
    for (let less = steps >> 1; less < steps && steps > 1;) {
      if (await this.#isStillRed({ steps: less })) {
        steps = less;
        less = steps >> 1;
      } else less = Math.max(less + 1, (less + steps + 1) >> 1);
    }
  }

  async #isStillRed(change: Narrowing): Promise<boolean> {
    if (this.#runCount >= this.#options.runsMax) return false;
    this.#runCount++;
    const narrowing = { ...this.smallest.narrowing, ...change };
    const report = await this.#options.run(this.#seed, optionsOf(narrowing));
    if (report.violations.length === 0 || signatureOf(report) !== this.#wanted) return false;
    this.smallest = { narrowing, report, runCount: this.#runCount };
    this.#options.onSmaller?.(
      `run ${this.#runCount}: ${report.faultCount} faults, ${report.operationCount} operations`,
    );
    return true;
  }
}

/** The first broken promise without its numbers and names: the same fault tells other ones each time. */
function signatureOf(report: SimulationReport): string {
  const [first = ""] = report.violations;
  return first
    .replace(/^\d+ ms: /, "")
    .replaceAll(/[a-z]*-?\d+/g, "#")
    .slice(0, 30);
}
