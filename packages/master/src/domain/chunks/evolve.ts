import { exhaustive, isPlanted, must } from "@holdfast/base";
import type { ChunkPlaced, ChunksGranted, ReplicaTrimmed, TrimOrdered } from "../events.ts";
import type { EvolveContext } from "../evolve-context.ts";
import type { ChunkEvent, ChunkHolder, ReleaseReason } from "../neighbours.ts";
import type { Tables } from "../tables.ts";
import { changeChunk, withNode, withoutNode } from "./copies.ts";
import {
  chunkTable,
  garbageTable,
  grantedTable,
  grantExpiryTable,
  isHeld,
  moveTable,
  trimTable,
  type ChunkRow,
} from "./tables.ts";

/** Folds one fact about chunks or copies. Total: facts about chunks that are gone change nothing. */
export function evolveChunks(tables: Tables, event: ChunkEvent, context: EvolveContext): void {
  switch (event.kind) {
    case "chunksGranted":
      onGranted(tables, event);
      return;
    case "chunkPlaced":
      onPlaced(tables, event);
      return;
    case "replicaPlaced":
      for (const chunkId of event.chunkIds) {
        onReplicaPlaced(tables, { chunkId, nodeId: event.nodeId, reason: event.reason }, context);
      }
      return;
    case "replicaConfirmed":
      for (const chunkId of event.chunkIds) onConfirmed(tables, { chunkId, nodeId: event.nodeId }, context);
      return;
    case "replicaLost":
      for (const chunkId of event.chunkIds) onLost(tables, { chunkId, nodeId: event.nodeId, reason: event.reason });
      return;
    case "trimOrdered":
      onTrimOrdered(tables, event, context);
      return;
    case "replicaTrimmed":
      onTrimmed(tables, event);
      return;
    default:
      exhaustive(event);
  }
}

/** Chunks that were placed are needed by this holder from now on. */
export function evolveChunksHeld(
  tables: Tables,
  held: { readonly chunkIds: readonly number[]; readonly holder: ChunkHolder },
  _context: EvolveContext,
): void {
  const { holder } = held;
  const change =
    holder.kind === "upload"
      ? { holderUploadId: holder.uploadId, holderEntryId: 0, holderVersionId: 0 }
      : { holderUploadId: "", holderEntryId: holder.entryId, holderVersionId: holder.versionId };
  for (const chunkId of held.chunkIds) {
    const row = must(tables.get(chunkTable, [chunkId]), "a chunk is placed before it is held");
    changeChunk(tables, chunkId, { ...row, ...change });
    tables.delete(garbageTable, [chunkId]);
  }
}

/**
 * Chunks that nobody needs any more become garbage. An ended upload does not release what a version holds by then, and
 * a purged version does not release what an upload holds.
 */
export function evolveChunksReleased(
  tables: Tables,
  released: { readonly chunkIds: readonly number[]; readonly reason: ReleaseReason },
  context: EvolveContext,
): void {
  for (const chunkId of released.chunkIds) {
    const row = tables.get(chunkTable, [chunkId]);
    if (row === undefined || !isHeld(row)) continue;
    if ((row.holderUploadId !== "") !== (released.reason === "uploadEnded")) continue;
    changeChunk(tables, chunkId, { ...row, holderUploadId: "", holderEntryId: 0, holderVersionId: 0 });
    const reason = released.reason === "purged" ? "purged" : "upload-ended";
    tables.set(garbageTable, [chunkId], { reason, sinceMs: context.atMs });
  }
}

function onGranted(tables: Tables, event: ChunksGranted): void {
  const { grantId, expiresAtMs } = event;
  for (const { chunkId, nodeIds } of event.chunks) {
    tables.set(grantedTable, [chunkId], { grantId, nodeIds, expiresAtMs });
    tables.set(grantExpiryTable, [expiresAtMs, chunkId], {});
  }
}

/** The chunk is held by an event that follows in the same batch. */
function onPlaced(tables: Tables, event: ChunkPlaced): void {
  endGrant(tables, event.chunkId);
  // Ids are placed once; a second fact of the same kind could only be an echo of the first.
  if (tables.get(chunkTable, [event.chunkId]) !== undefined) return;
  const ascending = (nodeIds: readonly number[]): readonly number[] =>
    [...new Set(nodeIds)].sort((left, right) => left - right);
  changeChunk(tables, event.chunkId, {
    generation: event.generation,
    lengthBytes: event.lengthBytes,
    sha256: event.sha256,
    placedNodeIds: ascending(event.nodeIds),
    confirmedNodeIds: ascending(event.confirmedNodeIds),
    corruptNodeIds: [],
    holderUploadId: "",
    holderEntryId: 0,
    holderVersionId: 0,
  });
}

/** A place more. Not for a chunk that nobody needs: its copies are being ordered away, and this place would be forgotten. */
function onReplicaPlaced(
  tables: Tables,
  copy: { chunkId: number; nodeId: number; reason: string },
  context: EvolveContext,
): void {
  const row = tables.get(chunkTable, [copy.chunkId]);
  if (row === undefined || !isHeld(row)) return;
  const confirmedNodeIds = isPlanted("trimBeforeConfirm")
    ? withNode(row.confirmedNodeIds, copy.nodeId)
    : row.confirmedNodeIds;
  const placedNodeIds = withNode(row.placedNodeIds, copy.nodeId);
  changeChunk(tables, copy.chunkId, { ...row, placedNodeIds, confirmedNodeIds });
  if (copy.reason !== "balance") return;
  tables.set(moveTable, [copy.chunkId], { targetNodeId: copy.nodeId, sinceMs: context.atMs });
}

function onConfirmed(tables: Tables, copy: { chunkId: number; nodeId: number }, context: EvolveContext): void {
  const row = tables.get(chunkTable, [copy.chunkId]);
  // A copy that was ordered away does not count again, whatever the node says before it carries the order out.
  const isOrderedAway = tables.get(trimTable, [copy.nodeId, copy.chunkId]) !== undefined;
  if (row === undefined || (isOrderedAway && !isPlanted("orderedAwayCounts"))) return;
  changeChunk(tables, copy.chunkId, {
    ...row,
    confirmedNodeIds: withNode(row.confirmedNodeIds, copy.nodeId),
    corruptNodeIds: withoutNode(row.corruptNodeIds, copy.nodeId),
  });
  if (!isHeld(row)) tables.set(garbageTable, [copy.chunkId], { reason: "extra", sinceMs: context.atMs });
}

function onLost(tables: Tables, copy: { chunkId: number; nodeId: number; reason: string }): void {
  const row = tables.get(chunkTable, [copy.chunkId]);
  if (row === undefined) return;
  tables.delete(moveTable, [copy.chunkId]);
  const isDamaged = copy.reason === "corrupt";
  // A node that was removed is no place for the chunk any more.
  const isRemoved = copy.reason === "removed";
  changeChunk(tables, copy.chunkId, {
    ...row,
    confirmedNodeIds: isPlanted("lostCopyCounts")
      ? row.confirmedNodeIds
      : withoutNode(row.confirmedNodeIds, copy.nodeId),
    placedNodeIds: isRemoved ? withoutNode(row.placedNodeIds, copy.nodeId) : row.placedNodeIds,
    corruptNodeIds: isDamaged ? withNode(row.corruptNodeIds, copy.nodeId) : row.corruptNodeIds,
  });
}

/** The copy stops counting when its removal is ordered, not when it is carried out. */
function onTrimOrdered(tables: Tables, event: TrimOrdered, context: EvolveContext): void {
  const { generation, term, reason } = event;
  tables.set(trimTable, [event.nodeId, event.chunkId], { generation, term, reason, orderedAtMs: context.atMs });
  endGrant(tables, event.chunkId);
  tables.delete(garbageTable, [event.chunkId]);
  tables.delete(moveTable, [event.chunkId]);
  const row = tables.get(chunkTable, [event.chunkId]);
  if (row === undefined) return;
  const confirmedNodeIds = withoutNode(row.confirmedNodeIds, event.nodeId);
  changeChunk(tables, event.chunkId, { ...row, confirmedNodeIds });
}

function onTrimmed(tables: Tables, event: ReplicaTrimmed): void {
  tables.delete(trimTable, [event.nodeId, event.chunkId]);
  const row = tables.get(chunkTable, [event.chunkId]);
  if (row === undefined) return;
  const after: ChunkRow = {
    ...row,
    placedNodeIds: withoutNode(row.placedNodeIds, event.nodeId),
    confirmedNodeIds: withoutNode(row.confirmedNodeIds, event.nodeId),
    corruptNodeIds: withoutNode(row.corruptNodeIds, event.nodeId),
  };
  const isGone = !isHeld(after) && after.placedNodeIds.length === 0 && after.confirmedNodeIds.length === 0;
  changeChunk(tables, event.chunkId, isGone ? undefined : after);
  if (isGone) tables.delete(garbageTable, [event.chunkId]);
}

function endGrant(tables: Tables, chunkId: number): void {
  const granted = tables.get(grantedTable, [chunkId]);
  if (granted === undefined) return;
  tables.delete(grantedTable, [chunkId]);
  tables.delete(grantExpiryTable, [granted.expiresAtMs, chunkId]);
}
