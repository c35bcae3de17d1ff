import path from "node:path";
import { isHoldfastError } from "@holdfast/base";
import { openLogOutput } from "@holdfast/observability/node";
import { type LocalCluster, startCluster } from "./cluster.ts";
import { clusterSettings } from "./settings.ts";

const root = path.resolve(import.meta.dirname, "../../..");
/** npm and the launcher may each pass on the same Ctrl+C; only a later signal means impatience. */
const repeatedSignalMs = 2_000;

// A supervisor that ends because its own words find no room would take the cluster with it.
const describeLoss = (lineCount: number): string => `(${lineCount} lines could not be written here)\n`;
const output = openLogOutput(1, describeLoss);
const errorOutput = openLogOutput(2, describeLoss);

function report(line: string): void {
  errorOutput.write(`${line}\n`);
}

/** Runs the local cluster in the foreground until it is told to stop; resolves with the exit code. */
async function main(): Promise<number> {
  const parsed = clusterSettings.parse({ argv: process.argv.slice(2), env: process.env });
  if (parsed.kind === "help") {
    output.write(`npm start -- [settings]: runs a whole Holdfast cluster on this machine\n${clusterSettings.help()}\n`);
    return 0;
  }
  if (parsed.kind === "faults") {
    report(`Holdfast cannot start; settings are wrong:\n${parsed.faults.map((fault) => `  ${fault}`).join("\n")}`);
    return 2;
  }
  const controller = new AbortController();
  let firstSignalAtMs: number | undefined;
  const stopWanted = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        const nowMs = performance.now();
        firstSignalAtMs ??= nowMs;
        if (nowMs - firstSignalAtMs > repeatedSignalMs) process.exit(1);
        controller.abort();
        resolve();
      });
    }
  });
  let cluster: LocalCluster;
  try {
    const callerDirectory = process.env["HOLDFAST_CALLER_DIRECTORY"] ?? process.cwd();
    cluster = await startCluster(parsed.values, { root, callerDirectory, report, signal: controller.signal });
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    if (error.kind === "cancelled") return 0;
    report(`Holdfast cannot start. ${error.message}`);
    return 1;
  }
  const setupLink = await cluster.setupLink();
  if (setupLink !== undefined) output.write(`Make the first account here (the link works once): ${setupLink.trim()}\n`);
  output.write(`Holdfast is ready: ${cluster.origin}\n`);
  await stopWanted;
  report("Stopping ...");
  await cluster.stop();
  report("Stopped. All data is safe on disk.");
  return 0;
}

process.exit(await main());
