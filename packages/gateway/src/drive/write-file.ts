import { create } from "@bufbuild/protobuf";
import { CommitFileSchema } from "@holdfast/proto/master/v1/master";
import { commitFile, type IncomingFile, type StoredFile } from "./file-commit.ts";
import { peekBytes, requireCaller, requireSha256, sha256Of } from "./incoming-bytes.ts";
import { requireName } from "./name.ts";
import type { Caller, Masters, RequestScope } from "./ports.ts";
import { writeChunked, type WriteFileOptions } from "./write-chunked.ts";

/**
 * Stores a whole file. Idempotent by the scope's request id. When it rejects, nothing of the file is visible, except that
 * after `unavailable` or `deadline` it may be: the same request id again tells.
 * Errors: notFound (parent), nameTaken, invalidArgument, checksumMismatch, tooBusy, noSpace, cancelled, unavailable.
 */
export type WriteFile = (caller: Caller, file: IncomingFile, scope: RequestScope) => Promise<StoredFile>;

/** The use-case that stores whole files. */
export function createWriteFile(masters: Masters, options: WriteFileOptions): WriteFile {
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
    if (peeked.whole === undefined)
      return writeChunked({ masters, options }, { caller, file, commit, source: peeked.source }, scope);
    commit.inlineContent = peeked.whole;
    commit.sizeBytes = BigInt(peeked.whole.length);
    commit.sha256 = sha256Of(peeked.whole);
    requireSha256(file.sha256, commit.sha256);
    requireCaller(scope.signal);
    return commitFile(masters, { caller, commit }, scope);
  };
}
