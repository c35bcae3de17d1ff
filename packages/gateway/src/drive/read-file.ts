import { create } from "@bufbuild/protobuf";
import { assert, HoldfastError, must } from "@holdfast/base";
import { EntryKind, type Entry } from "@holdfast/proto/model/v1/model";
import { GetFileLayoutRequestSchema, type GetFileLayoutResponse } from "@holdfast/proto/master/v1/master";
import type { ByteBudget } from "./byte-budget.ts";
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

/** What reading is bounded by. */
export interface ReadFileOptions {
  readonly bytes: FileBytes;
  readonly readBudget: ByteBudget;
  /** What one download may hold in memory at most. */
  readonly downloadHeldBytesMax: number;
}

/** The use-case that reads files. */
export function createOpenFile(masters: Masters, options: ReadFileOptions): OpenFileForReading {
  return async (caller, which, scope) => {
    const request = create(GetFileLayoutRequestSchema, { ...which, userId: caller.userId });
    const layout = await masters.queries.getFileLayout(request, scope);
    const entry = must(layout.entry, "a layout names its file");
    if (entry.kind !== EntryKind.FILE)
      throw new HoldfastError("invalidArgument", "A folder has no content of its own. Open one of its files.");
    const sizeBytes = layoutSizeBytes(layout);
    return {
      entry,
      versionId: which.versionId === 0n ? entry.versionId : which.versionId,
      sizeBytes,
      read(range, readScope) {
        assert(range.offsetBytes >= 0 && range.lengthBytes >= 0, "a range is not negative");
        assert(range.offsetBytes + range.lengthBytes <= sizeBytes, "a range ends within its file");
        return layout.chunks.length === 0
          ? inlineRange(layout.inlineContent, range)
          : boundedRead(options, { layout, range }, readScope);
      },
    };
  };
}

/** Without a share of the memory a download goes on in pieces of this size, one at a time: slower, and never refused. */
const leanPieceBytes = 1024 * 1024;

async function* boundedRead(
  options: ReadFileOptions,
  { layout, range }: { readonly layout: GetFileLayoutResponse; readonly range: ByteRange },
  scope: RequestScope,
): AsyncGenerator<Uint8Array> {
  const endBytes = range.offsetBytes + range.lengthBytes;
  for (let offsetBytes = range.offsetBytes; offsetBytes < endBytes;) {
    const leftBytes = endBytes - offsetBytes;
    const release = options.readBudget.tryAcquire(Math.min(leftBytes, options.downloadHeldBytesMax));
    const lengthBytes = release === undefined ? Math.min(leftBytes, leanPieceBytes) : leftBytes;
    try {
      yield* options.bytes.read(layout, { offsetBytes, lengthBytes }, scope);
    } finally {
      release?.();
    }
    offsetBytes += lengthBytes;
  }
}

function layoutSizeBytes(layout: GetFileLayoutResponse): number {
  if (layout.chunks.length === 0) return layout.inlineContent.length;
  return layout.chunks.reduce((total, chunk) => total + chunk.lengthBytes, 0);
}

async function* inlineRange(content: Uint8Array, range: ByteRange): AsyncGenerator<Uint8Array> {
  if (range.lengthBytes > 0) yield content.subarray(range.offsetBytes, range.offsetBytes + range.lengthBytes);
}
