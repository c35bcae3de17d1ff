import { equalBytes, isPlanted, ok, refused, toHex, type Result } from "@holdfast/base";
import { decideChunksWritten } from "../chunks/decide.ts";
import {
  conflictPolicy,
  type AbortUpload,
  type CommitUpload,
  type StartUpload,
  type StoreUploadPart,
} from "../commands.ts";
import type { DecideContext, DecideResult, Decision, Refusal } from "../decision.ts";
import type { DomainEvent } from "../events.ts";
import { nameFault } from "../namespace/check-name.ts";
import { chunksFault, decideContent, notInitialised } from "../namespace/decide-commit.ts";
import { childNamed, findAliveFolder, invalid, nameTaken, notFound } from "../namespace/lookup.ts";
import { orderedCount, orderedPage } from "../ordered-index.ts";
import { clusterTable, nextIds } from "../state.ts";
import type { TableReader } from "../tables.ts";
import { restOfTimeKey } from "../time-key.ts";
import { uploadExpirySet, uploadPartTable, uploadTable, type UploadPartRecord, type UploadRecord } from "./state.ts";

/** Parts of one upload. */
export const uploadPartsMax = 10_000;
/** Bytes of a part. */
const partSizeBytesMax = 2 ** 30;
/** Uploads in progress in the cluster. */
export const uploadsMax = 100_000;
/** Life of an upload from its start. */
export const uploadLifetimeMs = 7 * 24 * 3_600_000;
/** Chunks of one file, 128 GiB of 4 MiB chunks: a commit or a purge changes the row of each in one entry of the log. */
export const fileChunksMax = 32_768;

const noBytes = new Uint8Array(0);

/** An upload in parts; the gateway chose its id. */
export function decideStartUpload(tables: TableReader, command: StartUpload, context: DecideContext): DecideResult {
  const fault = startFault(tables, command);
  if (fault !== undefined) return fault;
  const { uploadId, userId, parentId, name, sizeBytes, partSizeBytes, conflict } = command;
  const parent = findAliveFolder(tables, parentId, userId);
  if (!parent.ok) return parent;
  if (tables.get(uploadTable, [uploadId]) !== undefined) {
    return refused({ kind: "precondition", message: "This upload id is in use. Nothing was changed; make a new one." });
  }
  const isFail = conflict === conflictPolicy.unspecified || conflict === conflictPolicy.fail;
  if (isFail && childNamed(tables, parentId, name) !== undefined) return nameTaken(name);
  if (orderedCount(tables, uploadExpirySet) >= uploadsMax) {
    return refused({ kind: "tooBusy", message: "Too many uploads are in progress. Nothing was changed; retry later." });
  }
  const expiresAtMs = context.atMs + uploadLifetimeMs;
  const started = { uploadId, ownerId: userId, parentId, name, sizeBytes, partSizeBytes, conflict, expiresAtMs };
  return ok({ events: [{ kind: "uploadStarted", ...started }], outcome: {} });
}

function startFault(
  tables: TableReader,
  command: StartUpload,
): { readonly ok: false; readonly error: Refusal } | undefined {
  const cluster = tables.get(clusterTable, []);
  if (cluster === undefined) return notInitialised();
  if (!/^[0-9a-f]{32}$/.test(command.uploadId)) return invalid("An upload id is 32 hex digits");
  const fault = nameFault(command.name);
  if (fault !== undefined) return invalid(`The file can't be stored: ${fault}`);
  const { partSizeBytes, sizeBytes, conflict } = command;
  if (partSizeBytes < 1 || partSizeBytes > partSizeBytesMax || partSizeBytes % cluster.chunkSizeBytes !== 0) {
    return invalid(`A part's size is a multiple of ${cluster.chunkSizeBytes} bytes, at most 1 GiB`);
  }
  if (sizeBytes > partSizeBytes * uploadPartsMax) {
    return invalid(`An upload has at most ${uploadPartsMax} parts; choose larger ones`);
  }
  if (sizeBytes > cluster.chunkSizeBytes * fileChunksMax) return tooLarge();
  if (conflict > conflictPolicy.keepBoth) return invalid("The conflict policy is unknown");
  return undefined;
}

function tooLarge(): { readonly ok: false; readonly error: Refusal } {
  return refused({ kind: "tooLarge", message: `A file has at most ${fileChunksMax} chunks. Nothing was changed.` });
}

/** A part whose chunks are durable. The same content again changes nothing. */
export function decideStoreUploadPart(
  tables: TableReader,
  command: StoreUploadPart,
  context: DecideContext,
): DecideResult {
  const { uploadId, part, chunks, lengthBytes, sha256 } = command;
  const found = findUpload(tables, uploadId, command.userId);
  if (!found.ok) return found;
  if (found.value.expiresAtMs <= context.atMs) return notFound("The upload");
  if (part >= uploadPartsMax) return invalid(`An upload has at most ${uploadPartsMax} parts`);
  if (sha256.length !== 32) return invalid("A part's SHA-256 has 32 bytes");
  if (lengthBytes > found.value.partSizeBytes) return invalid("The part is longer than the upload's part size");
  const fault = chunksFault(tables, { chunks, lengthBytes });
  if (fault !== undefined) return fault;
  const former = tables.get(uploadPartTable, [uploadId, part]);
  if (former !== undefined && former.lengthBytes === lengthBytes && equalBytes(former.sha256, sha256)) {
    return ok({ events: [], outcome: {} });
  }
  const written = decideChunksWritten(tables, chunks, context);
  if (!written.ok) return written;
  const chunkIds = chunks.map((chunk) => chunk.chunkId);
  const early = isPlanted("uploadVisibleEarly") && part === 0 ? showEarly(tables, found.value) : [];
  return ok({
    events: [...early, ...written.value, { kind: "uploadPartStored", uploadId, part, chunkIds, lengthBytes, sha256 }],
    outcome: {},
  });
}

/** For the planted defect alone: an entry for a file that is not there yet. */
function showEarly(tables: TableReader, { parentId, name, ownerId }: UploadRecord): readonly DomainEvent[] {
  const [entryId = 0] = nextIds(tables, "entry");
  return [{ kind: "fileCreated", entryId, parentId, name, ownerId }];
}

/** The whole file becomes visible. */
export function decideCommitUpload(tables: TableReader, command: CommitUpload, context: DecideContext): DecideResult {
  const { uploadId, userId, sizeBytes, sha256 } = command;
  const found = findUpload(tables, uploadId, userId);
  if (!found.ok) return found;
  const upload = found.value;
  if (upload.expiresAtMs <= context.atMs) return notFound("The upload");
  if (sha256.length !== 0 && sha256.length !== 32) return invalid("A SHA-256 has 32 bytes");
  const parts = collectParts(tables, uploadId, upload);
  if (!parts.ok) return parts;
  if (upload.storedBytes !== sizeBytes) return invalid("The size is not the sum of the parts");
  if (upload.sizeBytes !== 0 && upload.sizeBytes !== sizeBytes) return invalid("The size is not the announced one");
  const chunkIds = parts.value.flatMap((part) => part.chunkIds);
  if (chunkIds.length > fileChunksMax) return tooLarge();
  const { parentId, name, conflict, ownerId } = upload;
  const content = { parentId, name, ownerId, conflict, sizeBytes, sha256, chunkIds, inlineContent: noBytes };
  const committed = decideContent(tables, content);
  if (!committed.ok) return committed;
  const ended: DomainEvent = { kind: "uploadEnded", uploadId, isCommitted: true };
  return ok({ ...committed.value, events: [...committed.value.events, ended] });
}

function collectParts(
  tables: TableReader,
  uploadId: string,
  upload: UploadRecord,
): Result<readonly UploadPartRecord[], Refusal> {
  const parts: UploadPartRecord[] = [];
  for (let number = 0; number < upload.partLimit; number++) {
    const part = tables.get(uploadPartTable, [uploadId, number]);
    const isLast = number === upload.partLimit - 1;
    if (part === undefined || (!isLast && part.lengthBytes !== upload.partSizeBytes)) {
      return refused({
        kind: "precondition",
        message: `Part ${number} of the upload is missing or too short. Nothing is lost; send it and commit again.`,
      });
    }
    parts.push(part);
  }
  return ok(parts);
}

/** Given up; its chunks become garbage. */
export function decideAbortUpload(tables: TableReader, command: AbortUpload): DecideResult {
  const found = findUpload(tables, command.uploadId, command.userId);
  if (!found.ok) return ok({ events: [], outcome: {} });
  return ok({ events: [{ kind: "uploadEnded", uploadId: command.uploadId, isCommitted: false }], outcome: {} });
}

/** The end of uploads whose time is over, at most so many. For a controller. */
export function decideExpireUploads(
  tables: TableReader,
  options: { readonly atMs: number; readonly eventsMax: number },
): Decision {
  const events: DomainEvent[] = [];
  for (const key of orderedPage(tables, uploadExpirySet, { offset: 0, limit: options.eventsMax })) {
    const uploadId = toHex(restOfTimeKey(key));
    const upload = tables.get(uploadTable, [uploadId]);
    if (upload === undefined || upload.expiresAtMs > options.atMs) break;
    events.push({ kind: "uploadEnded", uploadId, isCommitted: false });
  }
  return { events, outcome: {} };
}

function findUpload(tables: TableReader, uploadId: string, userId: number): Result<UploadRecord, Refusal> {
  const upload = uploadId.includes("\0") ? undefined : tables.get(uploadTable, [uploadId]);
  return upload === undefined || upload.ownerId !== userId ? notFound("The upload") : ok(upload);
}
