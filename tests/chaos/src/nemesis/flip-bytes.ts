import { open } from "node:fs/promises";
import path from "node:path";
import type { ChaosCluster } from "../cluster/chaos-cluster.ts";
import { listChunkFiles } from "../verify/chunk-walker.ts";
import type { SeededChance } from "../workload/seeded-chance.ts";

const copiesMax = 6;

/**
 * Damages copies of several chunks on a node's disk, one bit each, as a rotting disk would. Never the second copy of a chunk: that would be
 * more than what three copies promise to survive. Returns what was done, or undefined when there is nothing to damage.
 */
export async function flipBytes(
  cluster: ChaosCluster,
  node: string,
  chance: SeededChance,
  damaged: Set<string>,
): Promise<string | undefined> {
  const holders = new Map<string, number>();
  for (const other of cluster.ofRole("node")) {
    for (const file of await listChunkFiles(cluster.dataPath(other))) holders.set(file, (holders.get(file) ?? 0) + 1);
  }
  const own = await listChunkFiles(cluster.dataPath(node));
  const files = own.filter((file) => !damaged.has(file) && (holders.get(file) ?? 0) >= cluster.shape.replication);
  const flipped: string[] = [];
  for (const file of chance.shuffle(files).slice(0, copiesMax)) {
    damaged.add(file);
    const at = await flipBit(path.join(cluster.dataPath(node), "chunks", file), chance);
    if (at !== undefined) flipped.push(`${file} at ${at}`);
  }
  return flipped.length === 0 ? undefined : `${node} ${flipped.join(", ")}`;
}

/** The place of the byte; undefined: the cluster has deleted the file meanwhile. */
async function flipBit(file: string, chance: SeededChance): Promise<number | undefined> {
  const handle = await open(file, "r+").catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    const at = chance.between(0, size - 1);
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ (1 << chance.between(0, 7));
    await handle.write(byte, 0, 1, at);
    return at;
  } finally {
    await handle.close();
  }
}
