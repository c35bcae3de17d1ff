import { must } from "@holdfast/base";
import type { DecideContext, ObservedNode } from "../../decision.ts";
import type { DomainEvent } from "../../events.ts";
import { evolve } from "../../evolve.ts";
import { readStandings } from "../../fleet/standing.ts";
import { clusterTable, readCounter } from "../../state.ts";
import { decideCopyReport, type CopyReport } from "../decide-replicas.ts";
import { decideChunksWritten, decideGrantChunks } from "../decide.ts";
import { evolveChunksHeld, evolveChunksReleased } from "../evolve.ts";
import { countHealth, type CountedCopySet } from "../health.ts";
import { addDigests, bucketOf, copyDigest } from "../inventory-digest.ts";
import { chunkTable, copySetChunkTable, copySetTable, corruptCounter, isHeld, nodeBucketTable } from "../tables.ts";
import { MemoryTables } from "./memory-tables.ts";

/** Of every chunk in a `ChunkWorld`. */
export const sha256 = new Uint8Array(32).fill(7);
/** Nodes of a `ChunkWorld`, with ids from 1. */
export const nodeCount = 5;
/** Of a `ChunkWorld`'s cluster. */
export const chunkSizeBytes = 4 * 1024 ** 2;

/** Nodes, chunks and holders for tests of pure code, with everything that is kept incrementally computed anew beside it. */
export class ChunkWorld {
  readonly memory = new MemoryTables();
  readonly tables = this.memory.tables;
  atMs = 1000;

  constructor() {
    this.tables.set(clusterTable, [], { clusterId: "c".repeat(32), chunkSizeBytes, replication: 3 });
    for (let nodeId = 1; nodeId <= nodeCount; nodeId++) {
      const names = {
        nodeUuid: `${nodeId}`.padStart(32, "0"),
        name: `node-${nodeId}`,
        address: `127.0.0.1:${7000 + nodeId}`,
      };
      const place = {
        ip: "127.0.0.1",
        mac: "00:00:00:00:00:00",
        capacityBytes: 1e12,
        zone: "",
        rack: "",
        joinTokenId: 0,
      };
      this.fold({ kind: "nodeJoined", nodeId, ...names, ...place });
    }
  }

  get context(): DecideContext {
    const nodes = new Map<number, ObservedNode>();
    for (let nodeId = 1; nodeId <= nodeCount; nodeId++) {
      const load = { activeWriteCount: 0, activeReadCount: 0, chunkCount: 0 };
      const space = { usedBytes: 0, freeBytes: 1e12, capacityBytes: 1e12, diskState: "ok" as const };
      nodes.set(nodeId, { nodeId, liveness: "live", ...space, ...load });
    }
    return { atMs: this.atMs, term: 4, actor: "test", writeCopiesMin: 2, nodes };
  }

  fold(...events: readonly DomainEvent[]): void {
    const at = { index: 1, atMs: this.atMs, actor: "test" };
    for (const event of events) evolve(this.tables, event, at);
  }

  hold(chunkIds: readonly number[], holder: { uploadId: string } | { entryId: number }): void {
    const at = { index: 1, atMs: this.atMs, actor: "test" };
    const whose =
      "uploadId" in holder
        ? ({ kind: "upload", ...holder } as const)
        : ({ kind: "version", versionId: 1, ...holder } as const);
    evolveChunksHeld(this.tables, { chunkIds, holder: whose }, at);
  }

  release(chunkIds: readonly number[], reason: "purged" | "uploadEnded"): void {
    evolveChunksReleased(this.tables, { chunkIds, reason }, { index: 1, atMs: this.atMs, actor: "test" });
  }

  grant(count: number): readonly { chunkId: number; nodeIds: readonly number[] }[] {
    const decided = decideGrantChunks(
      this.tables,
      { kind: "grantChunks", gateway: "g", count, avoidNodeIds: [] },
      this.context,
    );
    if (!decided.ok) throw new Error(decided.error.message);
    this.fold(...decided.value.events);
    return (decided.value.outcome.grant?.chunks ?? []).map(({ chunkId, places }) => ({
      chunkId,
      nodeIds: places.map((place) => place.nodeId),
    }));
  }

  /** Places a chunk and lets a file hold it. */
  store(confirmedCount = 3): number {
    const { chunkId, nodeIds } = must(this.grant(1)[0], "a grant of one chunk has one");
    const chunk = {
      chunkId,
      generation: 1,
      lengthBytes: 100 + chunkId,
      sha256,
      nodeIds,
      confirmedNodeIds: nodeIds.slice(0, confirmedCount),
    };
    const decided = decideChunksWritten(this.tables, [chunk], this.context);
    if (!decided.ok) throw new Error(decided.error.message);
    this.fold(...decided.value);
    this.hold([chunkId], { entryId: 10 + chunkId });
    return chunkId;
  }

  report(nodeId: number, report: Partial<CopyReport>): readonly DomainEvent[] {
    const nothing = { added: [], corrupt: [], trimmed: [], listed: [], missingChunkIds: [] };
    const events = decideCopyReport(this.tables, { nodeId, ...nothing, ...report }, this.context);
    this.fold(...events);
    return events;
  }

  copy(chunkId: number): { chunkId: number; generation: number; lengthBytes: number } {
    return { chunkId, generation: 1, lengthBytes: 100 + chunkId };
  }

  confirmed(chunkId: number): readonly number[] {
    return this.tables.get(chunkTable, [chunkId])?.confirmedNodeIds ?? [];
  }

  /** Health from the incremental rows. */
  health(): ReturnType<typeof countHealth> & { corrupt: number } {
    const view = { replication: 3, isUp: readStandings(this.tables).counts };
    return { ...countHealth(this.sets(), view), corrupt: readCounter(this.tables, corruptCounter) };
  }

  sets(): (CountedCopySet & { readonly heldBytes: number })[] {
    const keys = new Set<string>();
    for (let chunkId = 1; chunkId <= readCounter(this.tables, "id:chunk"); chunkId++)
      keys.add(this.confirmed(chunkId).join());
    return [...keys].flatMap((key) => {
      const row = this.tables.get(copySetTable, [key]);
      return row === undefined ? [] : [{ key, heldCount: row.heldCount, heldBytes: row.heldBytes }];
    });
  }

  /** Everything that is kept incrementally, computed anew from the chunk rows alone. */
  recomputed(): unknown {
    const isUp = readStandings(this.tables).counts;
    const counts = { total: 0, healthy: 0, under: 0, over: 0, missing: 0, corrupt: 0 };
    const buckets = new Map<string, { digest: number; chunkCount: number }>();
    let chunkCount = 0;
    let heldBytes = 0;
    for (let chunkId = 1; chunkId <= readCounter(this.tables, "id:chunk"); chunkId++) {
      const row = this.tables.get(chunkTable, [chunkId]);
      if (row === undefined) continue;
      chunkCount += 1;
      for (const nodeId of row.confirmedNodeIds) {
        const key = `${nodeId}/${bucketOf(chunkId)}`;
        const bucket = buckets.get(key) ?? { digest: 0, chunkCount: 0 };
        const digest = addDigests(bucket.digest, copyDigest({ ...row, chunkId }));
        buckets.set(key, { digest, chunkCount: bucket.chunkCount + 1 });
      }
      if (!isHeld(row)) continue;
      const copies = row.confirmedNodeIds.filter(isUp).length;
      counts.total += 1;
      heldBytes += row.lengthBytes;
      if (row.corruptNodeIds.length > 0) counts.corrupt += 1;
      counts[copies === 0 ? "missing" : copies < 3 ? "under" : copies === 3 ? "healthy" : "over"] += 1;
    }
    return { counts, chunkCount, heldBytes, buckets };
  }

  incremental(): unknown {
    const buckets = new Map<string, { digest: number; chunkCount: number }>();
    for (let nodeId = 1; nodeId <= nodeCount; nodeId++) {
      for (let bucket = 0; bucket < 256; bucket++) {
        const row = this.tables.get(nodeBucketTable, [nodeId, bucket]);
        if (row !== undefined) buckets.set(`${nodeId}/${bucket}`, row);
      }
    }
    const heldBytes = this.sets().reduce((sum, set) => sum + set.heldBytes, 0);
    return { counts: this.health(), chunkCount: this.memory.count(copySetChunkTable), heldBytes, buckets };
  }
}
