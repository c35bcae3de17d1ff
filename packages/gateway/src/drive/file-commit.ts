import { must } from "@holdfast/base";
import type { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import type { CommitFile, ExecuteResponse } from "@holdfast/proto/master/v1/master";
import { onBehalfOf } from "./actor.ts";
import { executePlacing } from "./execute-placing.ts";
import type { Caller, Masters, RequestScope } from "./ports.ts";

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

/** The one command that makes a file visible. */
export async function commitFile(
  masters: Masters,
  { caller, commit }: { readonly caller: Caller; readonly commit: CommitFile },
  scope: RequestScope,
): Promise<StoredFile> {
  const done = await executePlacing(masters, { case: "commitFile", value: commit }, onBehalfOf(caller, scope));
  return storedFileOf(commit, done);
}

/** The file that a commit led to. */
export function storedFileOf(commit: CommitFile, done: ExecuteResponse): StoredFile {
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
