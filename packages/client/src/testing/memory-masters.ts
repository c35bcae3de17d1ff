import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import {
  ChunkLayoutSchema,
  ChunkPlaceSchema,
  ExecuteResponseSchema,
  GetClusterStatusResponseSchema,
  GetFileLayoutResponseSchema,
} from "@holdfast/proto/master/v1/master";
import type {
  ExecuteResponse,
  GetFileLayoutResponse,
  GrantChunks,
  ReportBadReplica,
  WrittenChunk,
} from "@holdfast/proto/master/v1/master";
import type { CommandCase, MasterClient } from "../master-client.ts";
import type { MemoryNodes } from "./memory-nodes.ts";

/** The masters as far as bytes are concerned: grants, facts, layouts, reports. */
export class MemoryMasters implements Pick<MasterClient, "execute" | "queries"> {
  readonly grants: GrantChunks[] = [];
  readonly reports: ReportBadReplica[] = [];
  readonly queries: MasterClient["queries"];
  /** What layouts are answered with. */
  layout: GetFileLayoutResponse = create(GetFileLayoutResponseSchema, { clusterId: "c1" });
  layoutQueryCount = 0;
  lifetimeMs = 3_600_000;
  /** When set: grants are refused so. */
  grantError: HoldfastError | undefined;
  readonly #nodes: MemoryNodes;
  readonly #copies: number;
  #nextChunkId = 1n;

  constructor(
    nodes: MemoryNodes,
    facts: { readonly chunkSizeBytes: number; readonly copies: number; readonly writeCopiesMin: number },
  ) {
    this.#nodes = nodes;
    this.#copies = facts.copies;
    this.queries = {
      getClusterStatus: async () => create(GetClusterStatusResponseSchema, { ...facts, clusterId: "c1" }),
      getFileLayout: async () => {
        this.layoutQueryCount++;
        return this.layout;
      },
    } as unknown as MasterClient["queries"];
  }

  async execute(command: CommandCase): Promise<ExecuteResponse> {
    if (command.case === "reportBadReplica") this.reports.push(command.value);
    if (command.case !== "grantChunks") return create(ExecuteResponseSchema);
    this.grants.push(command.value);
    if (this.grantError !== undefined) throw this.grantError;
    return this.#grant(command.value);
  }

  /** A layout of what was written, with all copies that nodes have. */
  layoutOf(chunks: readonly WrittenChunk[]): GetFileLayoutResponse {
    const layouts = chunks.map((chunk) => {
      const { chunkId, generation, lengthBytes, sha256 } = chunk;
      const holders = this.#nodes.nodes.filter((node) => node.chunks.has(chunkId));
      const places = holders.map(({ nodeId, address }) => create(ChunkPlaceSchema, { nodeId, address }));
      return create(ChunkLayoutSchema, { chunkId, generation, lengthBytes, sha256, places });
    });
    this.layout = create(GetFileLayoutResponseSchema, {
      clusterId: "c1",
      chunks: layouts,
      entry: { entryId: 1n, versionId: 1n },
    });
    return this.layout;
  }

  #grant({ count, avoidNodeIds }: GrantChunks): ExecuteResponse {
    const usable = this.#nodes.nodes.filter(({ nodeId }) => !avoidNodeIds.includes(nodeId));
    if (usable.length < this.#copies) throw new HoldfastError("unavailable", "too few nodes");
    const chunks = Array.from({ length: count }, () => {
      const chunkId = this.#nextChunkId++;
      const places = Array.from(
        { length: this.#copies },
        (_, index) => usable[(Number(chunkId) + index) % usable.length],
      );
      return { chunkId, places: places.map((node) => ({ nodeId: node?.nodeId ?? 0, address: node?.address ?? "" })) };
    });
    return create(ExecuteResponseSchema, {
      outcome: { grant: { grantId: 1n, chunks, lifetimeMs: BigInt(this.lifetimeMs) } },
    });
  }
}
