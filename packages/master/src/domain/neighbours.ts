import type { EventOf } from "./events.ts";

/** Who needs a chunk from now on. A later holder replaces an earlier one. */
export type ChunkHolder =
  | { readonly kind: "upload"; readonly uploadId: string }
  | { readonly kind: "version"; readonly entryId: number; readonly versionId: number };

/** Why nobody needs a chunk any more. */
export type ReleaseReason = "purged" | "uploadEnded";

/** Events of chunks and copies. */
export type ChunkEvent = EventOf<
  | "chunksGranted"
  | "chunkPlaced"
  | "replicaPlaced"
  | "replicaConfirmed"
  | "replicaLost"
  | "trimOrdered"
  | "replicaTrimmed"
>;
