import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import type { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import type { Entry } from "@holdfast/proto/model/v1/model";
import {
  AbortUploadSchema,
  CommitUploadSchema,
  GetUploadRequestSchema,
  StartUploadSchema,
  StoreUploadPartSchema,
  type GetUploadResponse,
} from "@holdfast/proto/master/v1/master";
import { onBehalfOf } from "./actor.ts";
import { entryAfter } from "./entry-after.ts";
import { executePlacing } from "./execute-placing.ts";
import { writeGuarded, type WriteGuard } from "./guarded-write.ts";
import { atMost, requireCaller, requireSha256 } from "./incoming-bytes.ts";
import { requireName } from "./name.ts";
import type { Caller, Masters, RequestScope, WrittenBytes } from "./ports.ts";

/** One part of an upload, as it arrives. */
export interface IncomingPart {
  readonly uploadId: string;
  /** 0-based. */
  readonly part: number;
  readonly source: AsyncIterable<Uint8Array>;
  /** Announced bytes, when known. */
  readonly lengthBytes?: number | undefined;
  /** Of the part; verified before it counts. */
  readonly sha256?: Uint8Array | undefined;
}

/** A part that is durable. */
export interface StoredUploadPart {
  readonly part: number;
  readonly lengthBytes: number;
  readonly sha256: Uint8Array;
}

/** What an upload will become. */
export interface UploadStart {
  /** 32 hex digits, random; doubles as the request id. */
  readonly uploadId: string;
  /** 0 = the caller's root. */
  readonly parentId: bigint;
  readonly name: string;
  readonly sizeBytes: bigint;
  readonly conflict: ConflictPolicy;
}

/** Uploads in parts: resumable by id through any gateway. Nothing is visible before `commit`. */
export interface Uploads {
  /** Answers the bytes of each part but the last. Errors: notFound, nameTaken, invalidArgument. */
  start(caller: Caller, upload: UploadStart, scope: RequestScope): Promise<number>;
  /** What is durable of it. Errors: notFound. */
  get(caller: Caller, uploadId: string, scope: RequestScope): Promise<GetUploadResponse>;
  /** Idempotent: the same part again replaces the earlier one. Errors: notFound, tooLarge, checksumMismatch, tooBusy, cancelled, unavailable. */
  storePart(caller: Caller, part: IncomingPart, scope: RequestScope): Promise<StoredUploadPart>;
  /** Idempotent. Errors: notFound, precondition (parts missing), nameTaken, invalidArgument. */
  commit(
    caller: Caller,
    upload: { readonly uploadId: string; readonly sizeBytes: bigint; readonly sha256: Uint8Array },
    scope: RequestScope,
  ): Promise<Entry>;
  /** Forgets it; an unknown one is forgotten already. */
  abort(caller: Caller, uploadId: string, scope: RequestScope): Promise<void>;
}

/** What `createUploads` needs besides the masters. */
export interface UploadsOptions extends WriteGuard {
  /** Bytes of each part but the last; a multiple of the chunk size. */
  readonly partSizeBytes: number;
}

/** The upload use-cases. */
export function createUploads(masters: Masters, options: UploadsOptions): Uploads {
  const get = async (caller: Caller, uploadId: string, scope: RequestScope): Promise<GetUploadResponse> =>
    masters.queries.getUpload(
      create(GetUploadRequestSchema, { uploadId: checkedId(uploadId), userId: caller.userId }),
      scope,
    );

  return {
    get,

    async start(caller, upload, scope) {
      requireName(upload.name);
      const parentId = upload.parentId === 0n ? caller.rootEntryId : upload.parentId;
      const uploadId = checkedId(upload.uploadId);
      const value = create(StartUploadSchema, {
        ...upload,
        uploadId,
        parentId,
        userId: caller.userId,
        partSizeBytes: options.partSizeBytes,
      });
      const command = { ...onBehalfOf(caller, scope), requestId: uploadId };
      await masters.execute({ case: "startUpload", value }, command);
      return options.partSizeBytes;
    },

    async storePart(caller, part, scope) {
      return storePart(masters, options, { caller, part, scope, get });
    },

    async commit(caller, upload, scope) {
      const uploadId = checkedId(upload.uploadId);
      const value = create(CommitUploadSchema, { ...upload, uploadId, userId: caller.userId });
      const command = { ...onBehalfOf(caller, scope), requestId: commitRequestId(uploadId) };
      const done = await masters.execute({ case: "commitUpload", value }, command);
      const entryId = done.outcome?.entryId ?? 0n;
      return entryAfter(masters, { caller, entryId, done }, scope);
    },

    async abort(caller, uploadId, scope) {
      const value = create(AbortUploadSchema, { uploadId: checkedId(uploadId), userId: caller.userId });
      await masters.execute({ case: "abortUpload", value }, onBehalfOf(caller, scope));
    },
  };
}

async function storePart(
  masters: Masters,
  options: UploadsOptions,
  call: {
    readonly caller: Caller;
    readonly part: IncomingPart;
    readonly scope: RequestScope;
    readonly get: Uploads["get"];
  },
): Promise<StoredUploadPart> {
  const { caller, part, scope } = call;
  const uploadId = checkedId(part.uploadId);
  const source = atMost(part.source, options.partSizeBytes);
  const check = async (inner: RequestScope): Promise<void> => {
    await call.get(caller, uploadId, inner);
  };
  const write = (inner: RequestScope): Promise<WrittenBytes> => options.bytes.write(source, inner);
  const written = await writeGuarded(options, { write, lengthBytes: part.lengthBytes, check }, scope);
  if (written.sizeBytes === 0)
    throw new HoldfastError("invalidArgument", "A part has at least one byte. Nothing was stored.");
  requireSha256(part.sha256, written.sha256);
  requireCaller(scope.signal);
  const stored = { part: part.part, lengthBytes: written.sizeBytes, sha256: written.sha256 };
  const value = create(StoreUploadPartSchema, {
    ...stored,
    uploadId,
    userId: caller.userId,
    chunks: [...written.chunks],
  });
  await executePlacing(masters, { case: "storeUploadPart", value }, onBehalfOf(caller, scope));
  return stored;
}

function checkedId(uploadId: string): string {
  if (/^[0-9a-f]{32}$/.test(uploadId)) return uploadId;
  throw new HoldfastError("invalidArgument", "An upload id has 32 lower-case hex digits. Nothing was stored.");
}

/** Starting and committing are two wishes with one id on the wire; the masters need two request ids, the same for every retry. */
function commitRequestId(uploadId: string): string {
  return createHash("sha256").update(`commit:${uploadId}`).digest("hex").slice(0, 32);
}
