import { open } from "node:fs/promises";
import path from "node:path";
import type { ChaosCluster } from "../cluster/chaos-cluster.ts";
import { listChunkFiles } from "../verify/chunk-walker.ts";
import type { SeededChance } from "../workload/seeded-chance.ts";

/**
 * Damages one copy of a chunk on a node's disk, as a rotting disk would. Never the second copy of a chunk: that would be
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
  if (files.length === 0) return undefined;
  const file = chance.pick(files);
  damaged.add(file);
  const handle = await open(path.join(cluster.dataPath(node), "chunks", file), "r+").catch(() => undefined);
  // Deleted by the cluster this moment.
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    const at = chance.between(0, size - 1);
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ (1 << chance.between(0, 7));
    await handle.write(byte, 0, 1, at);
    return `byte ${at} of ${file} on ${node}`;
  } finally {
    await handle.close();
  }
}
