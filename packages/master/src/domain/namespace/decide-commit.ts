import { ok, refused, type Result } from "@holdfast/base";
import { decideChunksWritten } from "../chunks/decide.ts";
import { conflictPolicy, type CommitFile, type WrittenChunk } from "../commands.ts";
import type { DecideContext, DecideResult, Decision, Refusal } from "../decision.ts";
import type { DomainEvent } from "../events.ts";
import { clusterTable, nextIds } from "../state.ts";
import type { TableReader } from "../tables.ts";
import { nameFault } from "./check-name.ts";
import { chooseName } from "./decide.ts";
import { childNamed, depthFault, findAliveFolder, invalid } from "./lookup.ts";
import { entryKind, type EntryRecord } from "./state.ts";

/** Bytes of a file that may travel inside its event. */
export const inlineContentBytesMax = 4096;
/** Chunks that one command may bring; larger files are uploaded in parts. */
export const commandChunksMax = 4096;
/** Versions of a file that are kept; one more gives up the oldest. */
export const versionsMax = 32;

/** A whole file in one command. */
export function decideCommitFile(tables: TableReader, command: CommitFile, context: DecideContext): DecideResult {
  const fault = contentFault(tables, command);
  if (fault !== undefined) return fault;
  const written = decideChunksWritten(tables, command.chunks, context);
  if (!written.ok) return written;
  const committed = decideContent(tables, {
    ...command,
    ownerId: command.userId,
    chunkIds: command.chunks.map((chunk) => chunk.chunkId),
  });
  if (!committed.ok) return committed;
  return ok({ ...committed.value, events: [...written.value, ...committed.value.events] });
}

/** What is to become the content of a file; its chunks are durable already. */
export interface Content {
  readonly parentId: number;
  readonly name: string;
  readonly ownerId: number;
  readonly conflict: number;
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
  readonly chunkIds: readonly number[];
  readonly inlineContent: Uint8Array;
}

/** A new file, or a new version of the one that has the name. */
export function decideContent(tables: TableReader, content: Content): Result<Decision, Refusal> {
  const fault = nameFault(content.name);
  if (fault !== undefined) return invalid(`The file can't be stored: ${fault}`);
  const parent = findAliveFolder(tables, content.parentId, content.ownerId);
  if (!parent.ok) return parent;
  const [versionId = 0] = nextIds(tables, "version");
  const { sizeBytes, sha256, chunkIds, inlineContent, parentId, ownerId } = content;
  const version = { kind: "versionCommitted", versionId, sizeBytes, sha256, chunkIds, inlineContent } as const;
  const present = childNamed(tables, parentId, content.name);
  if (present?.entry.kind === entryKind.file && content.conflict === conflictPolicy.replace) {
    const { entryId } = present;
    return ok({
      events: [...givenUp(entryId, present.entry), { ...version, entryId }],
      outcome: { entryId, versionId, name: content.name },
    });
  }
  const tooDeep = depthFault(parent.value);
  if (tooDeep !== undefined) return tooDeep;
  const name = chooseName(tables, { parentId, name: content.name, conflict: content.conflict, isFolder: false });
  if (!name.ok) return name;
  const [entryId = 0] = nextIds(tables, "entry");
  return ok({
    events: [
      { kind: "fileCreated", entryId, parentId, name: name.value, ownerId },
      { ...version, entryId },
    ],
    outcome: { entryId, versionId, name: name.value },
  });
}

function givenUp(entryId: number, entry: EntryRecord): readonly DomainEvent[] {
  if (entry.versionCount < versionsMax) return [];
  return [{ kind: "versionPurged", entryId, versionId: entry.oldestVersionId }];
}

function contentFault(
  tables: TableReader,
  command: CommitFile,
): { readonly ok: false; readonly error: Refusal } | undefined {
  if (command.sha256.length !== 0 && command.sha256.length !== 32) return invalid("A SHA-256 has 32 bytes");
  if (command.chunks.length === 0) {
    const { length } = command.inlineContent;
    if (length > inlineContentBytesMax)
      return invalid(`At most ${inlineContentBytesMax} bytes can be stored without chunks`);
    return length === command.sizeBytes ? undefined : invalid("The size is not that of the content");
  }
  if (command.inlineContent.length > 0) return invalid("A file has chunks or inline content, not both");
  return chunksFault(tables, { chunks: command.chunks, lengthBytes: command.sizeBytes });
}

/** What is wrong with chunks that should make up `lengthBytes`: all full but the last, none twice. */
export function chunksFault(
  tables: TableReader,
  written: { readonly chunks: readonly WrittenChunk[]; readonly lengthBytes: number },
): { readonly ok: false; readonly error: Refusal } | undefined {
  const { chunks, lengthBytes } = written;
  const cluster = tables.get(clusterTable, []);
  if (cluster === undefined) return notInitialised();
  if (chunks.length === 0) return invalid("There are no chunks");
  if (chunks.length > commandChunksMax)
    return invalid(`At most ${commandChunksMax} chunks can be stored at once; upload in parts`);
  if (new Set(chunks.map((chunk) => chunk.chunkId)).size !== chunks.length) return invalid("A chunk is named twice");
  let sum = 0;
  for (const [position, chunk] of chunks.entries()) {
    const isLast = position === chunks.length - 1;
    if (chunk.sha256.length !== 32) return invalid("A chunk's SHA-256 has 32 bytes");
    if (chunk.lengthBytes < 1 || chunk.lengthBytes > cluster.chunkSizeBytes)
      return invalid("A chunk's length is out of range");
    if (!isLast && chunk.lengthBytes !== cluster.chunkSizeBytes)
      return invalid("Every chunk but the last must be full");
    sum += chunk.lengthBytes;
  }
  return sum === lengthBytes ? undefined : invalid("The chunks' lengths do not add up to the size");
}

/** The refusal before the first event. */
export function notInitialised(): { readonly ok: false; readonly error: Refusal } {
  return refused({
    kind: "unavailable",
    message: "The cluster is just being set up. Nothing was changed; retry in a moment.",
  });
}
