import { create } from "@bufbuild/protobuf";
import { must } from "@holdfast/base";
import {
  ChunkLayoutSchema,
  ChunkPlaceSchema,
  GetFileLayoutResponseSchema,
  GetUploadResponseSchema,
  StoredPartSchema,
  type ChunkLayout,
  type GetFileLayoutRequest,
  type GetFileLayoutResponse,
  type GetUploadRequest,
  type GetUploadResponse,
  type StoredPart,
} from "@holdfast/proto/master/v1/master";
import { chunkTable } from "../../domain/chunks/tables.ts";
import type { ChunkPlace } from "../../domain/commands.ts";
import { entryKind, versionTable } from "../../domain/namespace/state.ts";
import { clusterTable } from "../../domain/state.ts";
import type { TableReader } from "../../domain/tables.ts";
import { uploadPartTable, uploadTable } from "../../domain/uploads/state.ts";
import { entryToWire } from "../../wire/entry.ts";
import { requestInteger } from "../../wire/request.ts";
import { absent, readEntry } from "./entry-queries.ts";

/** Live nodes among these, best first, with their addresses. */
export type RankPlaces = (tables: TableReader, nodeIds: readonly number[]) => readonly ChunkPlace[];

/** Where a version's bytes are. */
export function getFileLayout(
  tables: TableReader,
  request: GetFileLayoutRequest,
  options: { readonly index: bigint; readonly rankPlaces: RankPlaces },
): GetFileLayoutResponse {
  const { entryId, entry } = readEntry(tables, request);
  if (entry.kind !== entryKind.file) throw absent("The file");
  const wanted = requestInteger(request.versionId, "version_id");
  const version = tables.get(versionTable, [wanted === 0 ? entry.versionId : wanted]);
  if (version === undefined || version.entryId !== entryId) throw absent("The version");
  return create(GetFileLayoutResponseSchema, {
    entry: entryToWire(entryId, entry),
    chunks: version.chunkIds.map((chunkId) => chunkLayout(tables, chunkId, options.rankPlaces)),
    inlineContent: version.inlineContent,
    index: options.index,
    clusterId: tables.get(clusterTable, [])?.clusterId ?? "",
  });
}

function chunkLayout(tables: TableReader, chunkId: number, rankPlaces: RankPlaces): ChunkLayout {
  const chunk = must(tables.get(chunkTable, [chunkId]), "a version's chunks are placed");
  const places = rankPlaces(tables, chunk.confirmedNodeIds).map((place) => create(ChunkPlaceSchema, place));
  const { generation, lengthBytes, sha256 } = chunk;
  return create(ChunkLayoutSchema, { chunkId: BigInt(chunkId), generation, lengthBytes, sha256, places });
}

/** An upload in progress with its durable parts. */
export function getUpload(
  tables: TableReader,
  request: GetUploadRequest,
  options: { readonly index: bigint; readonly nowMs: number },
): GetUploadResponse {
  const { uploadId } = request;
  const upload = /^[0-9a-f]{32}$/.test(uploadId) ? tables.get(uploadTable, [uploadId]) : undefined;
  const userId = requestInteger(request.userId, "user_id");
  if (upload === undefined || upload.expiresAtMs <= options.nowMs) throw absent("The upload");
  if (userId !== 0 && upload.ownerId !== userId) throw absent("The upload");
  const parts: StoredPart[] = [];
  for (let part = 0; part < upload.partLimit; part++) {
    const stored = tables.get(uploadPartTable, [uploadId, part]);
    if (stored === undefined) continue;
    parts.push(create(StoredPartSchema, { part, lengthBytes: stored.lengthBytes, sha256: stored.sha256 }));
  }
  return create(GetUploadResponseSchema, {
    parentId: BigInt(upload.parentId),
    name: upload.name,
    sizeBytes: BigInt(upload.sizeBytes),
    partSizeBytes: upload.partSizeBytes,
    parts,
    expiresAtMs: BigInt(upload.expiresAtMs),
    index: options.index,
  });
}
