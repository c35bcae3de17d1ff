import { parseArgs } from "node:util";
import { measureFailover } from "./failover.ts";
import { measureRealInput } from "./real-input.ts";
import { measureRepair } from "./repair.ts";
import { measureScale, type ScaleState, scaleStates } from "./scale.ts";
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
  readonly only: readonly ScaleState[];
  readonly folder: string | undefined;
  readonly profiles: string | undefined;
}

async function withCluster<T>(
  measure: (cluster: Awaited<ReturnType<typeof startLocalCluster>>) => Promise<T>,
): Promise<T> {
  const host = values["advertise-host"];
  const cluster = await startLocalCluster(host === undefined ? {} : { flags: ["--advertise-host", host] });
  try {
    return await measure(cluster);
  } finally {
    await cluster.destroy();
  }
}

const usage = `npm run bench -- [BENCH ...] [options]
Whole-system figures, each on a cluster of its own. Without a name all but "scale" run (about 10 minutes).
Benches: ${Object.keys(benches).join(", ")}
  --gib N             size of the file of "transfer" (1)
  --files N           files of each kind of "small-files" (3000)
  --tree N            files of the tree of "real-input" (10000)
  --no-large          "real-input" without its large files
  --advertise-host A  everything inside by mutual TLS, as for nodes on other machines (an address of this machine)
  --kills N           leaders killed by "failover" (10)
  --nodes N, --chunks N, --chunks-per-file N, --seconds N, --only A,B, --folder PATH, --profiles PATH
                      what "scale" simulates (1000, 10000000, 4), for how long a state (20), which states,
                      where its filled cluster is kept, where CPU profiles go`;

/** A positive number, or the end with a sentence: a mistyped size must not be measured as something else. */
function numberOf(text: string, flag: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  return refuse(`--${flag} takes a positive number, not "${text}"`);
}

function stateOf(word: string): ScaleState {
  return (
    scaleStates.find((state) => state === word) ??
    refuse(`"scale" knows no state "${word}" (it knows ${scaleStates.join(", ")})`)
  );
}

function refuse(problem: string): never {
  console.error(`${problem}. "npm run bench -- --help" tells the options.`);
  process.exit(2);
}

function parse(): ReturnType<typeof parseWords> {
  try {
    return parseWords();
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function parseWords() {
  return parseArgs({
    allowPositionals: true,
    options: {
      help: { type: "boolean", default: false },
      "advertise-host": { type: "string" },
      "no-large": { type: "boolean", default: false },
      gib: { type: "string", default: "1" },
      files: { type: "string", default: "3000" },
      kills: { type: "string", default: "10" },
      tree: { type: "string", default: "10000" },
      nodes: { type: "string", default: "1000" },
      chunks: { type: "string", default: "10000000" },
      "chunks-per-file": { type: "string", default: "4" },
      seconds: { type: "string", default: "20" },
      only: { type: "string", default: "" },
      folder: { type: "string" },
      profiles: { type: "string" },
    },
  });
}

const { values, positionals } = parse();
if (values.help) {
  console.log(usage);
  process.exit();
}
for (const name of positionals) if (!(name in benches)) refuse(`there is no bench "${name}"`);
const options: BenchOptions = {
  gibibytes: numberOf(values.gib, "gib"),
  files: numberOf(values.files, "files"),
  kills: numberOf(values.kills, "kills"),
  treeFiles: numberOf(values.tree, "tree"),
  nodes: numberOf(values.nodes, "nodes"),
  chunks: numberOf(values.chunks, "chunks"),
  chunksPerFile: numberOf(values["chunks-per-file"], "chunks-per-file"),
  seconds: numberOf(values.seconds, "seconds"),
  only: values.only
    .split(",")
    .filter((word) => word !== "")
    .map((word) => stateOf(word)),
  folder: values.folder,
  profiles: values.profiles,
  largeGibibytes: values["no-large"] ? [] : [1, 5],
};
/** Takes minutes and gigabytes: only when asked for. */
const rare = ["scale"];
const chosen = Object.keys(benches).filter((name) => positionals.includes(name));
const measurements: Measurement[] = [];
for (const name of chosen.length > 0 ? chosen : Object.keys(benches).filter((name) => !rare.includes(name))) {
  console.log(`measuring ${name} ...`);
  measurements.push(...((await benches[name]?.(options)) ?? []));
}
printReport(measurements);
process.exit();
