import { measureFailover } from "./failover.ts";
import { measureRealInput } from "./real-input.ts";
import { measureRepair } from "./repair.ts";
import { measureScale } from "./scale.ts";
import { measureSmallFiles } from "./small-files.ts";
import { measureTransfer } from "./transfer.ts";
import type { Measurement } from "./measurement.ts";
import { printReport } from "./report.ts";
import { startLocalCluster } from "@holdfast/tests-conformance";

/** Whole-system benches by name; each runs on a cluster of its own, so that one does not fill another's caches. */
const benches: Readonly<Record<string, (options: BenchOptions) => Promise<readonly Measurement[]>>> = {
  transfer: (options) => withCluster((cluster) => measureTransfer(cluster, options.gibibytes)),
  "small-files": (options) => withCluster((cluster) => measureSmallFiles(cluster, options.files)),
  "real-input": (options) =>
    withCluster((cluster) =>
      measureRealInput(cluster, { files: options.treeFiles, largeGibibytes: options.largeGibibytes }),
    ),
  scale: ({ nodes, chunks, chunksPerFile, seconds, only, folder, profiles }) =>
    measureScale({
      ...{ size: { nodeCount: nodes, chunkCount: chunks, chunksPerFile, zoneCount: 20 } },
      ...{ seconds, only, folder, profiles },
    }),
  "repair-fail": () => withCluster((cluster) => measureRepair(cluster, "fail")),
  "repair-kill": () => withCluster((cluster) => measureRepair(cluster, "kill")),
  failover: (options) => withCluster((cluster) => measureFailover(cluster, options.kills)),
};

interface BenchOptions {
  readonly gibibytes: number;
  readonly files: number;
  readonly kills: number;
  readonly treeFiles: number;
  readonly largeGibibytes: readonly number[];
  readonly nodes: number;
  readonly chunks: number;
  readonly chunksPerFile: number;
  readonly seconds: number;
  readonly only: readonly string[];
  readonly folder: string | undefined;
  readonly profiles: string | undefined;
}

async function withCluster<T>(
  measure: (cluster: Awaited<ReturnType<typeof startLocalCluster>>) => Promise<T>,
): Promise<T> {
  const cluster = await startLocalCluster();
  try {
    return await measure(cluster);
  } finally {
    await cluster.destroy();
  }
}

function numberAfter(words: readonly string[], flag: string, fallback: number): number {
  const at = words.indexOf(flag);
  return at < 0 ? fallback : Number(words[at + 1]);
}

function textAfter(words: readonly string[], flag: string): string | undefined {
  const at = words.indexOf(flag);
  return at < 0 ? undefined : words[at + 1];
}

const words = process.argv.slice(2);
const options: BenchOptions = {
  gibibytes: numberAfter(words, "--gib", 1),
  files: numberAfter(words, "--files", 3_000),
  kills: numberAfter(words, "--kills", 10),
  treeFiles: numberAfter(words, "--tree", 10_000),
  nodes: numberAfter(words, "--nodes", 1_000),
  chunks: numberAfter(words, "--chunks", 10_000_000),
  chunksPerFile: numberAfter(words, "--chunks-per-file", 4),
  seconds: numberAfter(words, "--seconds", 20),
  only: (textAfter(words, "--only") ?? "").split(",").filter((word) => word !== ""),
  folder: textAfter(words, "--folder"),
  profiles: textAfter(words, "--profiles"),
  largeGibibytes: words.includes("--no-large") ? [] : [1, 5],
};
/** Takes minutes and gigabytes: only when asked for. */
const rare = ["scale"];
const chosen = Object.keys(benches).filter((name) => words.includes(name));
const measurements: Measurement[] = [];
for (const name of chosen.length > 0 ? chosen : Object.keys(benches).filter((name) => !rare.includes(name))) {
  console.log(`measuring ${name} ...`);
  measurements.push(...((await benches[name]?.(options)) ?? []));
}
printReport(measurements);
process.exit();
