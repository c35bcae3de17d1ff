import { exhaustive } from "@holdfast/base";
import { usersTable } from "../domain/accounts/state.ts";
import type { DomainEvent } from "../domain/events.ts";
import { entryTable } from "../domain/namespace/state.ts";
import type { ChunkEvent } from "../domain/neighbours.ts";
import type { TableReader } from "../domain/tables.ts";
import { byDrill, nodeNames, summariseFleet } from "./fleet-summary.ts";

/**
 * An event as one line for people. Holds no secret: no hash of a password or token, no content. Names are those after
 * the batch.
 */
export function summarise(event: DomainEvent, tables: TableReader): string {
  switch (event.kind) {
    case "clusterInitialised":
      return `Cluster set up: ${event.replication} copies, chunks of ${event.chunkSizeBytes} bytes`;
    case "userCreated":
      return `Account ${event.email} made${event.isAdmin ? " (administrator)" : ""}`;
    case "userReplaced":
      return `Account ${userName(tables, event.userId)} set anew`;
    case "userPasswordChanged":
      return `Password of ${userName(tables, event.userId)} changed`;
    case "userDisabled":
      return `Account ${userName(tables, event.userId)} disabled`;
    case "setupTokenIssued":
      return "Set-up link issued";
    case "sessionStarted":
      return `${userName(tables, event.userId)} signed in (${event.channel})`;
    case "sessionEnded":
      return "A session ended";
    case "folderCreated":
      return `Folder "${event.name}" made`;
    case "fileCreated":
      return `File "${event.name}" made`;
    case "versionCommitted":
      return `${entryName(tables, event.entryId)} has new content of ${event.sizeBytes} bytes`;
    case "versionPurged":
      return `An old version of ${entryName(tables, event.entryId)} given up`;
    case "entryMoved":
      return event.sourceParentId === event.targetParentId
        ? `"${event.sourceName}" renamed to "${event.targetName}"`
        : `"${event.sourceName}" moved to ${entryName(tables, event.targetParentId)} as "${event.targetName}"`;
    case "entryTrashed":
      return `${entryName(tables, event.entryId)} put into the trash`;
    case "entryRestored":
      return `"${event.targetName}" taken out of the trash`;
    case "entryPurged":
      return `Entry ${event.entryId} deleted for ever`;
    case "uploadStarted":
      return `Upload of "${event.name}" started`;
    case "uploadPartStored":
      return `Part ${event.part + 1} of an upload stored (${event.lengthBytes} bytes)`;
    case "uploadEnded":
      return event.isCommitted ? "Upload finished" : "Upload given up";
    case "chunksGranted":
    case "chunkPlaced":
    case "replicaPlaced":
    case "replicaConfirmed":
    case "replicaLost":
    case "trimOrdered":
    case "replicaTrimmed":
      return summariseChunk(event, tables);
    default:
      return summariseFleet(event, tables);
  }
}

function summariseChunk(event: ChunkEvent, tables: TableReader): string {
  switch (event.kind) {
    case "chunksGranted":
      return `${event.chunks.length} chunks granted to ${event.gateway}`;
    case "chunkPlaced":
      return `Chunk ${event.chunkId} placed on ${nodeNames(tables, event.nodeIds)}`;
    case "replicaPlaced":
      return `${nodeNames(tables, [event.nodeId])} to fetch ${chunkCount(event.chunkIds)} (${event.reason})`;
    case "replicaConfirmed":
      return `${nodeNames(tables, [event.nodeId])} holds ${chunkCount(event.chunkIds)}`;
    case "replicaLost":
      return `${nodeNames(tables, [event.nodeId])} lost ${chunkCount(event.chunkIds)} (${event.reason})${byDrill(event.drillId)}`;
    case "trimOrdered":
      return `Copy of chunk ${event.chunkId} on ${nodeNames(tables, [event.nodeId])} to be removed (${event.reason})`;
    case "replicaTrimmed":
      return `Copy of chunk ${event.chunkId} on ${nodeNames(tables, [event.nodeId])} removed`;
    default:
      return exhaustive(event);
  }
}

function chunkCount(chunkIds: readonly number[]): string {
  return chunkIds.length === 1 ? `chunk ${chunkIds[0]}` : `${chunkIds.length} chunks`;
}

function userName(tables: TableReader, userId: number): string {
  return tables.get(usersTable, [userId])?.email ?? `user ${userId}`;
}

function entryName(tables: TableReader, entryId: number): string {
  const entry = tables.get(entryTable, [entryId]);
  if (entry === undefined) return `entry ${entryId}`;
  return entry.name === "" ? "the root folder" : `"${entry.name}"`;
}
