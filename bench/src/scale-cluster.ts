import { fork } from "node:child_process";
import { once } from "node:events";
import { cp, link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { deserialize, serialize } from "node:v8";
import type { FilledStore, ScaleSize } from "@holdfast/master/testing/scale";
import type { FillOrder } from "./scale-fill.ts";
import { ScaleFleet } from "./scale-fleet.ts";
import { joinSecret, ScaleMaster } from "./scale-master.ts";

/** Buckets of an inventory, and nodes that may be added later. */
const bucketCount = 256;
const spareNodes = 16;

/** A master at rest on a large cluster's projections. */
export interface ScaleCluster {
  /** The master's data folder. */
  readonly data: string;
  readonly filled: FilledStore;
}

/**
 * Makes a cluster that is there for real and at rest: a master starts, nodes join through its log, it stops, and its
 * projections are filled. With `keep` the result stays in the folder, and a later run begins with it.
 */
export async function makeCluster(folder: string, size: ScaleSize): Promise<ScaleCluster> {
  const data = path.join(folder, "master");
  const note = path.join(folder, "filled");
  const known = await readFile(note).catch(() => undefined);
  if (known !== undefined) return { data: await cloneOf(folder, data), filled: deserialize(known) as FilledStore };
  await rm(data, { recursive: true, force: true });
  await mkdir(data, { recursive: true });
  await joinNodes(data, size);
  const filled = await fill({ projections: path.join(data, "projections"), size });
  await writeFile(note, serialize(filled));
  return { data: await cloneOf(folder, data), filled };
}

/** What the nodes need to know of it; the counts are shared by all who are told of the same object. */
export function placeOf({ filled }: ScaleCluster, { size, address }: { size: ScaleSize; address: string }) {
  const entries = (size.nodeCount + spareNodes) * bucketCount;
  const digests = new Float64Array(entries);
  digests.set(filled.inventories.digests);
  const copyCounts = new Uint32Array(entries);
  copyCounts.set(filled.inventories.counts);
  return { size, address, joinSecret, zoneCount: size.zoneCount, digests, copyCounts };
}

async function joinNodes(data: string, size: ScaleSize): Promise<void> {
  const master = await ScaleMaster.start({ data, settings: {} });
  const fleet = new ScaleFleet();
  try {
    await master.ready();
    const empty = {
      inventories: { digests: new Float64Array(0), counts: new Uint32Array(0) },
      setCount: 0,
      rowCount: 0,
    };
    await fleet.tell({ kind: "place", place: placeOf({ data, filled: empty }, { size, address: master.address }) });
    await fleet.tell({ kind: "join", firstId: 1, lastId: size.nodeCount });
  } finally {
    fleet.end();
    await master.end("SIGTERM");
  }
}

async function fill(order: FillOrder): Promise<FilledStore> {
  const child = fork(path.join(import.meta.dirname, "scale-fill.ts"), {
    execArgv: ["--max-semi-space-size=64"],
    serialization: "advanced",
  });
  const answered = once(child, "message");
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`filling ended with code ${code}`);
  });
  child.send(order);
  const [filled] = (await Promise.race([answered, ended])) as [FilledStore];
  child.disconnect();
  await ended.catch(() => undefined);
  return filled;
}

/** A copy that may be worn out. Tables of LevelDB are never written again, so links will do for them. */
async function cloneOf(folder: string, data: string): Promise<string> {
  const clone = path.join(folder, "run");
  await rm(clone, { recursive: true, force: true });
  await mkdir(path.join(clone, "projections"), { recursive: true });
  for (const name of await readdir(data))
    if (name !== "projections") await cp(path.join(data, name), path.join(clone, name), { recursive: true });
  for (const name of await readdir(path.join(data, "projections"))) {
    const [from, to] = [path.join(data, "projections", name), path.join(clone, "projections", name)];
    if (name.endsWith(".ldb")) await link(from, to);
    else await cp(from, to);
  }
  return clone;
}
