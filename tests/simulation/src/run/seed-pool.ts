import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { SimulationReport } from "./seed-report.ts";

/** What a worker is told: run this seed. */
export interface SeedOrder {
  readonly seed: number;
  /** Defects to plant while it runs. */
  readonly defect?: string | undefined;
}

/** What a worker answers. */
export interface SeedAnswer extends SeedOrder {
  readonly report: SimulationReport;
}

/** How seeds are spread. */
export interface SeedPoolOptions {
  readonly workers: number;
  /** The next order; undefined when there is none left. */
  readonly next: () => SeedOrder | undefined;
  readonly onAnswer: (answer: SeedAnswer) => void;
}

/** A bigger nursery: the garbage of one seed is collected a few times instead of hundreds of times. */
const nodeFlags = ["--max-semi-space-size=32", "--disable-warning=ExperimentalWarning"];

/** Runs seeds in processes of their own, each one seed at a time, until there is none left. A worker that dies fails. */
export async function runSeedPool(options: SeedPoolOptions): Promise<void> {
  const workers = Array.from({ length: options.workers }, () => runWorker(options));
  await Promise.all(workers);
}

function runWorker({ next, onAnswer }: SeedPoolOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = fileURLToPath(new URL("seed-worker.ts", import.meta.url));
    const child: ChildProcess = fork(path, [], { execArgv: nodeFlags });
    let current: SeedOrder | undefined;
    const give = (): void => {
      current = next();
      if (current === undefined) child.disconnect();
      else child.send(current);
    };
    child.on("message", (answer) => {
      onAnswer(answer as SeedAnswer);
      give();
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (current === undefined && code === 0) resolve();
      else reject(new Error(`the process that ran seed ${current?.seed ?? "none"} ended with ${code ?? "a signal"}`));
    });
    give();
  });
}
