import type { Result } from "@holdfast/base";
import type { GrantChunks, ReportBadReplica, WrittenChunk } from "./commands.ts";
import type { DecideContext, DecideResult, Refusal } from "./decision.ts";
import type { DomainEvent, EventOf } from "./events.ts";
import type { EvolveContext } from "./evolve-context.ts";
import type { TableReader, Tables } from "./tables.ts";

/**
 * What `domain/{decide,evolve}.ts` ask of `domain/chunks` and `domain/fleet`; siblings meet nowhere else. They live at
 * `chunks/decide.ts` (`decideChunksWritten`, `decideGrantChunks`, `decideReportBadReplica`), `chunks/evolve.ts`
 * (`evolveChunks`, `evolveChunksHeld`, `evolveChunksReleased`) and `fleet/evolve.ts` (`evolveFleet`), under these types.
 */
export interface ChunkDecisions {
  /**
   * Checks that each chunk has an unexpired grant and is not placed yet (retries never come here: the dedup window
   * answers them), its places are nodes of the cluster, and enough of them are confirmed. Gives one ChunkPlaced each.
   */
  readonly decideChunksWritten: (
    tables: TableReader,
    chunks: readonly WrittenChunk[],
    context: DecideContext,
  ) => Result<readonly DomainEvent[], Refusal>;
  readonly decideGrantChunks: (tables: TableReader, command: GrantChunks, context: DecideContext) => DecideResult;
  readonly decideReportBadReplica: (
    tables: TableReader,
    command: ReportBadReplica,
    context: DecideContext,
  ) => DecideResult;
}

/** Who needs a chunk from now on. A later holder replaces an earlier one. */
export type ChunkHolder =
  | { readonly kind: "upload"; readonly uploadId: string }
  | { readonly kind: "version"; readonly entryId: number; readonly versionId: number };

/** Why nobody needs a chunk any more. */
export type ReleaseReason = "purged" | "uploadEnded";

/** Events of chunks and copies. */
export type ChunkEvent = EventOf<
  "chunksGranted" | "chunkPlaced" | "replicaConfirmed" | "replicaLost" | "trimOrdered" | "replicaTrimmed"
>;
/** Events of nodes. */
export type FleetEvent = EventOf<"nodeJoined" | "nodeReported" | "nodeDown" | "nodeUp">;

/** How chunk and node tables follow events. Gets and sets only; the ids of chunks, grants and nodes are noted by `evolve.ts`. */
export interface ChunkEvolutions {
  readonly evolveChunks: (tables: Tables, event: ChunkEvent, context: EvolveContext) => void;
  readonly evolveFleet: (tables: Tables, event: FleetEvent, context: EvolveContext) => void;
  /** Called after the ChunkPlaced of the same batch. */
  readonly evolveChunksHeld: (
    tables: Tables,
    held: { readonly chunkIds: readonly number[]; readonly holder: ChunkHolder },
    context: EvolveContext,
  ) => void;
  /** The chunks become garbage; a chunk that was never placed is ignored. */
  readonly evolveChunksReleased: (
    tables: Tables,
    released: { readonly chunkIds: readonly number[]; readonly reason: ReleaseReason },
    context: EvolveContext,
  ) => void;
}
