import type { DiskSurvey } from "./chunk-walker.ts";

/** One chunk of a file that must be there. */
export interface WantedChunk {
  /** For people: "work-3-1/file-2 chunk 0". */
  readonly what: string;
  readonly sha256: string;
}

/** Chunks with fewer good copies on different nodes than wanted, in words. */
export function findMissingCopies(
  survey: DiskSurvey,
  wanted: readonly WantedChunk[],
  replication: number,
): readonly string[] {
  const findings: string[] = [];
  for (const { what, sha256 } of wanted) {
    const copies = survey.copies.get(sha256) ?? [];
    // Copies that count are of one chunk and generation; the same bytes written twice are different chunks.
    const byChunk = new Map<string, Set<string>>();
    for (const { chunkId, generation, node } of copies) {
      const key = `${chunkId}.${generation}`;
      byChunk.set(key, (byChunk.get(key) ?? new Set()).add(node));
    }
    const most = Math.max(0, ...[...byChunk.values()].map((nodes) => nodes.size));
    if (most < replication) {
      const found = copies.map(({ node, chunkId, generation }) => `${node}:${chunkId}.${generation}`).join(", ");
      findings.push(`${what} (${sha256.slice(0, 12)}): ${most} of ${replication} copies [${found}]`);
    }
  }
  return findings;
}
