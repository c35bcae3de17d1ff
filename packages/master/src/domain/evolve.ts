import { exhaustive } from "@holdfast/base";
import {
  evolveSessionEnded,
  evolveSessionStarted,
  evolveSetupTokenIssued,
  evolveUserCreated,
  evolveUserDisabled,
  evolveUserPasswordChanged,
  evolveUserReplaced,
} from "./accounts/evolve.ts";
import { evolveChunks, evolveChunksHeld, evolveChunksReleased } from "./chunks/evolve.ts";
import { evolveDedup } from "./dedup.ts";
import type { DomainEvent, EventBatch, EventOf } from "./events.ts";
import type { EvolveContext } from "./evolve-context.ts";
import { evolveFleet } from "./fleet/evolve.ts";
import type { FleetFact } from "./fleet/fleet-events.ts";
import {
  evolveEntryMoved,
  evolveEntryRestored,
  evolveEntryTrashed,
  evolveFileCreated,
  evolveFolderCreated,
} from "./namespace/evolve.ts";
import { evolveEntryPurged, evolveVersionCommitted, evolveVersionPurged } from "./namespace/evolve-versions.ts";
import type { ChunkEvent } from "./neighbours.ts";
import { clusterTable, noteId } from "./state.ts";
import type { Tables } from "./tables.ts";
import { evolveUploadEnded, evolveUploadPartStored, evolveUploadStarted } from "./uploads/evolve.ts";

/**
 * Folds a committed batch into the tables: the only way in which they change. The same batch on the same tables gives
 * the same changes on every master; it can't be refused, so what contradicts the tables is a bug and asserts.
 */
export function evolveBatch(tables: Tables, batch: EventBatch, context: EvolveContext): void {
  for (const event of batch.events) evolve(tables, event, context);
  evolveDedup(tables, batch, context);
}

/** Folds one event. */
export function evolve(tables: Tables, event: DomainEvent, context: EvolveContext): void {
  switch (event.kind) {
    case "clusterInitialised":
      return evolveClusterInitialised(tables, event);
    case "userCreated":
      return evolveUserCreated(tables, event, context);
    case "userReplaced":
      return evolveUserReplaced(tables, event);
    case "userPasswordChanged":
      return evolveUserPasswordChanged(tables, event);
    case "userDisabled":
      return evolveUserDisabled(tables, event);
    case "setupTokenIssued":
      return evolveSetupTokenIssued(tables, event);
    case "sessionStarted":
      return evolveSessionStarted(tables, event, context);
    case "sessionEnded":
      return evolveSessionEnded(tables, event);
    case "folderCreated":
      return evolveFolderCreated(tables, event, context);
    case "fileCreated":
      return evolveFileCreated(tables, event, context);
    case "entryMoved":
      return evolveEntryMoved(tables, event, context);
    case "entryTrashed":
      return evolveEntryTrashed(tables, event, context);
    case "entryRestored":
      return evolveEntryRestored(tables, event, context);
    case "uploadStarted":
      return evolveUploadStarted(tables, event);
    case "versionCommitted":
    case "versionPurged":
    case "entryPurged":
    case "uploadPartStored":
    case "uploadEnded":
      return evolveContent(tables, event, context);
    default:
      return evolveFromNeighbours(tables, event, context);
  }
}

type ContentEvent = EventOf<"versionCommitted" | "versionPurged" | "entryPurged" | "uploadPartStored" | "uploadEnded">;

/** Events after which chunks have another holder, or none. */
function evolveContent(tables: Tables, event: ContentEvent, context: EvolveContext): void {
  switch (event.kind) {
    case "versionCommitted": {
      evolveVersionCommitted(tables, event, context);
      const { entryId, versionId, chunkIds } = event;
      return evolveChunksHeld(tables, { chunkIds, holder: { kind: "version", entryId, versionId } }, context);
    }
    case "versionPurged":
      return evolveChunksReleased(tables, { chunkIds: evolveVersionPurged(tables, event), reason: "purged" }, context);
    case "entryPurged":
      return evolveChunksReleased(tables, { chunkIds: evolveEntryPurged(tables, event), reason: "purged" }, context);
    case "uploadPartStored": {
      const { uploadId, chunkIds } = event;
      const replaced = evolveUploadPartStored(tables, event);
      evolveChunksHeld(tables, { chunkIds, holder: { kind: "upload", uploadId } }, context);
      return evolveChunksReleased(tables, { chunkIds: replaced, reason: "uploadEnded" }, context);
    }
    case "uploadEnded":
      return evolveChunksReleased(
        tables,
        { chunkIds: evolveUploadEnded(tables, event), reason: "uploadEnded" },
        context,
      );
    default:
      return exhaustive(event);
  }
}

type NeighbourEvent = ChunkEvent | FleetFact;

function evolveFromNeighbours(tables: Tables, event: NeighbourEvent, context: EvolveContext): void {
  switch (event.kind) {
    case "chunksGranted":
      noteId(tables, "grant", event.grantId);
      for (const chunk of event.chunks) noteId(tables, "chunk", chunk.chunkId);
      return evolveChunks(tables, event, context);
    case "chunkPlaced":
    case "replicaPlaced":
    case "replicaConfirmed":
    case "replicaLost":
    case "trimOrdered":
    case "replicaTrimmed":
      return evolveChunks(tables, event, context);
    default:
      return evolveFleet(tables, event, context);
  }
}

function evolveClusterInitialised(tables: Tables, event: EventOf<"clusterInitialised">): void {
  const { clusterId, chunkSizeBytes, replication } = event;
  tables.set(clusterTable, [], { clusterId, chunkSizeBytes, replication });
}
