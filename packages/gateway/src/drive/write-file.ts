import { create } from "@bufbuild/protobuf";
import { must } from "@holdfast/base";
import type { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import { CommitFileSchema, GetEntryRequestSchema, type CommitFile } from "@holdfast/proto/master/v1/master";
import { onBehalfOf } from "./actor.ts";
import { executePlacing } from "./execute-placing.ts";
import { writeGuarded, type WriteGuard } from "./guarded-write.ts";
import { peekBytes, requireCaller, requireSha256, sha256Of } from "./incoming-bytes.ts";
import { requireName } from "./name.ts";
import type { Caller, Masters, RequestScope } from "./ports.ts";

/** Below this many bytes a file is not worth a question to the masters before it is written. */
const earlyCheckBytesMin = 1024 * 1024;

/** A whole file that arrives as one stream. */
export interface IncomingFile {
  /** 0 = the caller's root. */
  readonly parentId: bigint;
  readonly name: string;
  readonly conflict: ConflictPolicy;
  readonly source: AsyncIterable<Uint8Array>;
  /** Announced bytes, when known. */
  readonly lengthBytes?: number | undefined;
  /** Of all bytes; verified before the file becomes visible. */
  readonly sha256?: Uint8Array | undefined;
}

/** A file that is durable and visible. */
export interface StoredFile {
  readonly entryId: bigint;
  readonly parentId: bigint;
  readonly versionId: bigint;
  /** The name in the end (keep both). */
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
  /** Log index at which it became true. */
  readonly index: bigint;
}

/** What `createWriteFile` needs besides the masters. */
export interface WriteFileOptions extends WriteGuard {
  /** Files up to this many bytes travel inside their event. */
  readonly inlineBytesMax: number;
}

/**
 * Stores a whole file. Idempotent by the scope's request id. When it rejects, nothing of the file is visible, except that
 * after `unavailable` or `deadline` it may be: the same request id again tells.
 * Errors: notFound (parent), nameTaken, invalidArgument, checksumMismatch, tooBusy, noSpace, cancelled, unavailable.
 */
export type WriteFile = (caller: Caller, file: IncomingFile, scope: RequestScope) => Promise<StoredFile>;

/** The use-case that stores whole files. */
export function createWriteFile(masters: Masters, options: WriteFileOptions): WriteFile {
  const requireParent = async (caller: Caller, parentId: bigint, scope: RequestScope): Promise<void> => {
    await masters.queries.getEntry(create(GetEntryRequestSchema, { entryId: parentId, userId: caller.userId }), scope);
  };

  return async (caller, file, scope) => {
    requireName(file.name);
    const parentId = file.parentId === 0n ? caller.rootEntryId : file.parentId;
    const commit = create(CommitFileSchema, {
      parentId,
      name: file.name,
      userId: caller.userId,
      conflict: file.conflict,
    });
    const peeked = await peekBytes(file.source, options.inlineBytesMax);
    if (peeked.whole !== undefined) {
      commit.inlineContent = peeked.whole;
      commit.sizeBytes = BigInt(peeked.whole.length);
      commit.sha256 = sha256Of(peeked.whole);
    } else {
      const isWorthACheck = (file.lengthBytes ?? Infinity) >= earlyCheckBytesMin;
      const check = (inner: RequestScope): Promise<void> => requireParent(caller, parentId, inner);
      const incoming = { source: peeked.source, lengthBytes: file.lengthBytes, ...(isWorthACheck ? { check } : {}) };
      const written = await writeGuarded(options, incoming, scope);
      commit.chunks = [...written.chunks];
      commit.sizeBytes = BigInt(written.sizeBytes);
      commit.sha256 = written.sha256;
    }
    requireSha256(file.sha256, commit.sha256);
    requireCaller(scope.signal);
    return commitFile(masters, { caller, commit }, scope);
  };
}

async function commitFile(
  masters: Masters,
  { caller, commit }: { readonly caller: Caller; readonly commit: CommitFile },
  scope: RequestScope,
): Promise<StoredFile> {
  const done = await executePlacing(masters, { case: "commitFile", value: commit }, onBehalfOf(caller, scope));
  const outcome = must(done.outcome, "a committed file has an outcome");
  return {
    entryId: outcome.entryId,
    parentId: commit.parentId,
    versionId: outcome.versionId,
    name: outcome.name === "" ? commit.name : outcome.name,
    sizeBytes: Number(commit.sizeBytes),
    sha256: commit.sha256,
    index: done.index,
  };
}
