import { create } from "@bufbuild/protobuf";
import { assert, HoldfastError, must } from "@holdfast/base";
import { EntryKind, type Entry } from "@holdfast/proto/model/v1/model";
import { GetFileLayoutRequestSchema, type GetFileLayoutResponse } from "@holdfast/proto/master/v1/master";
import type { ByteRange, Caller, FileBytes, Masters, RequestScope } from "./ports.ts";

/** A version of a file, ready to be read. It stays the same version whatever happens to the file meanwhile. */
export interface OpenFile {
  readonly entry: Entry;
  readonly versionId: bigint;
  readonly sizeBytes: number;
  /** The range lies within the file. Errors (while iterating): dataLoss, unavailable, cancelled. */
  read(range: ByteRange, scope: RequestScope): AsyncIterable<Uint8Array>;
}

/** Opens a version (0 = the current one). Errors: notFound, invalidArgument (a folder). */
export type OpenFileForReading = (
  caller: Caller,
  which: { readonly entryId: bigint; readonly versionId: bigint },
  scope: RequestScope,
) => Promise<OpenFile>;

/** The use-case that reads files. */
export function createOpenFile(masters: Masters, bytes: FileBytes): OpenFileForReading {
  return async (caller, which, scope) => {
    const request = create(GetFileLayoutRequestSchema, { ...which, userId: caller.userId });
    const layout = await masters.queries.getFileLayout(request, scope);
    const entry = must(layout.entry, "a layout names its file");
    if (entry.kind !== EntryKind.FILE) throw new HoldfastError("invalidArgument", "A folder has no content of its own. Open one of its files.");
    const sizeBytes = layoutSizeBytes(layout);
    return {
      entry,
      versionId: which.versionId === 0n ? entry.versionId : which.versionId,
      sizeBytes,
      read(range, readScope) {
        assert(range.offsetBytes >= 0 && range.lengthBytes >= 0, "a range is not negative");
        assert(range.offsetBytes + range.lengthBytes <= sizeBytes, "a range ends within its file");
        return layout.chunks.length === 0 ? inlineRange(layout.inlineContent, range) : bytes.read(layout, range, readScope);
      },
    };
  };
}

function layoutSizeBytes(layout: GetFileLayoutResponse): number {
  if (layout.chunks.length === 0) return layout.inlineContent.length;
  return layout.chunks.reduce((total, chunk) => total + chunk.lengthBytes, 0);
}

async function* inlineRange(content: Uint8Array, range: ByteRange): AsyncGenerator<Uint8Array> {
  if (range.lengthBytes > 0) yield content.subarray(range.offsetBytes, range.offsetBytes + range.lengthBytes);
}
