import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { parseChunkFile } from "./chunk-file-parser.ts";

/** One good copy on a node's disk. */
export interface FoundCopy {
  readonly node: string;
  readonly chunkId: string;
  readonly generation: number;
  readonly sizeBytes: number;
}

/** A file under `chunks/` that is no good copy. */
export interface BadCopy {
  readonly node: string;
  readonly file: string;
  readonly fault: string;
}

/** What is on the disks. */
export interface DiskSurvey {
  /** Good copies by the SHA-256 of their data. */
  readonly copies: ReadonlyMap<string, readonly FoundCopy[]>;
  readonly bad: readonly BadCopy[];
  readonly fileCount: number;
  readonly checkedBytes: number;
  readonly quarantinedCount: number;
}

/** One chunkserver's data directory. */
export interface NodeDirectory {
  readonly node: string;
  readonly path: string;
}

/** Reads every chunk file of every node and checks all of it. Files that vanish meanwhile are not counted. */
export async function surveyDisks(nodes: readonly NodeDirectory[], clusterId: string): Promise<DiskSurvey> {
  const copies = new Map<string, FoundCopy[]>();
  const bad: BadCopy[] = [];
  let [fileCount, checkedBytes, quarantinedCount] = [0, 0, 0];
  for (const node of nodes) {
    quarantinedCount += (await listFolder(path.join(node.path, "quarantine"))).length;
    for (const file of await listChunkFiles(node.path)) {
      const bytes = await readFile(path.join(node.path, "chunks", file)).catch(() => undefined);
      if (bytes === undefined) continue;
      fileCount += 1;
      checkedBytes += bytes.length;
      const parsed = parseChunkFile(bytes);
      const fault = typeof parsed === "string" ? parsed : misplacement(file, parsed, clusterId);
      if (typeof parsed === "string" || fault !== undefined) {
        bad.push({ node: node.node, file, fault: fault ?? "" });
        continue;
      }
      const { chunkId, generation, sha256, lengthBytes } = parsed;
      const known = copies.get(sha256) ?? [];
      known.push({ node: node.node, chunkId, generation, sizeBytes: lengthBytes });
      copies.set(sha256, known);
    }
  }
  return { copies, bad, fileCount, checkedBytes, quarantinedCount };
}

/** Relative to `chunks/`: "1a/2b/00000000001a2b03.1". In order of their names. */
export async function listChunkFiles(nodePath: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const first of await listFolder(path.join(nodePath, "chunks"))) {
    for (const second of await listFolder(path.join(nodePath, "chunks", first))) {
      for (const name of await listFolder(path.join(nodePath, "chunks", first, second)))
        found.push(`${first}/${second}/${name}`);
    }
  }
  return found;
}

function misplacement(
  file: string,
  chunk: { readonly chunkId: string; readonly generation: number; readonly clusterId: string },
  clusterId: string,
): string | undefined {
  const wanted = `${chunk.chunkId.slice(10, 12)}/${chunk.chunkId.slice(12, 14)}/${chunk.chunkId}.${chunk.generation}`;
  if (file !== wanted) return `belongs to ${wanted}`;
  return chunk.clusterId === clusterId ? undefined : `belongs to cluster ${chunk.clusterId}`;
}

async function listFolder(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
  return names.sort((left, right) => (left < right ? -1 : 1));
}
