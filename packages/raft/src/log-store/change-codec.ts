import { assert } from "@holdfast/base";
import { entryBytes, type Entry, type HardState, type SnapshotMeta } from "../core/entries.ts";
import type { LogIndex, Term } from "../core/types.ts";
import { ByteReader } from "../transport/byte-reader.ts";
import { ByteWriter } from "../transport/byte-writer.ts";
import { readEntry, readPeer, readSnapshotMeta, writeEntry, writeSnapshotMeta } from "../transport/entry-codec.ts";
import { readPosition, writePosition } from "../transport/position-codec.ts";
import { recordAlignmentBytes, recordHeaderBytes } from "./record.ts";

/** What one record says, in the order in which it takes effect. */
export interface RecordedChange {
  /** The log begins after this. `keep`: later entries stay (compaction); `drop`: all entries go (snapshot). */
  readonly start?: { readonly meta: SnapshotMeta; readonly entries: "keep" | "drop" };
  /** From the first one's index on, earlier entries are replaced. */
  readonly entries: readonly Entry[];
  readonly hardState?: HardState;
  /** The entries were lost on disk: they stand in their places again, and nothing behind them is cut off. */
  readonly isRepair?: true;
  /** What other members promised to this node. */
  readonly promises?: Uint8Array;
  /** A snapshot that is about to take the place of the state machine: if it did, the log is to follow. */
  readonly intent?: SnapshotMeta;
}

const flagBits = {
  hardState: 1,
  startKeep: 2,
  startDrop: 4,
  startContext: 8,
  intent: 16,
  repair: 32,
  promises: 64,
} as const;

const flagsMax = 127;

/** Room for the header, the change as a body, and padding: ready for `sealRecord`. */
export function encodeChange(change: RecordedChange): { readonly record: Uint8Array; readonly bodyBytes: number } {
  let expectedBytes = recordHeaderBytes + 128;
  for (const entry of change.entries) expectedBytes += entryBytes(entry);
  const writer = new ByteWriter(expectedBytes);
  writer.skip(recordHeaderBytes);
  const startBit =
    change.start === undefined ? 0 : change.start.entries === "keep" ? flagBits.startKeep : flagBits.startDrop;
  const context = change.start?.meta.context;
  const contextBit = context === undefined ? 0 : flagBits.startContext;
  writer.u8(
    (change.hardState === undefined ? 0 : flagBits.hardState) |
      startBit |
      contextBit |
      (change.intent === undefined ? 0 : flagBits.intent) |
      (change.isRepair === true ? flagBits.repair : 0) |
      (change.promises === undefined ? 0 : flagBits.promises),
  );
  if (change.hardState !== undefined) {
    writer.varint(change.hardState.term);
    writer.varint(change.hardState.vote);
    writer.varint(change.hardState.commit);
  }
  if (change.start !== undefined) writeSnapshotMeta(writer, change.start.meta);
  if (context !== undefined) writer.sized(context);
  if (change.intent !== undefined) writePosition(writer, change.intent);
  if (change.promises !== undefined) writer.sized(change.promises);
  const first = change.entries[0]?.index ?? 0;
  for (const [offset, entry] of change.entries.entries()) {
    assert(entry.index === first + offset, "the entries of a change are contiguous");
    writeEntry(writer, entry);
  }
  const bodyBytes = writer.length - recordHeaderBytes;
  const overhang = writer.length % recordAlignmentBytes;
  if (overhang > 0) writer.skip(recordAlignmentBytes - overhang);
  return { record: writer.finish(), bodyBytes };
}

/** The change in a record's body, or undefined when it is not one. Entries share memory with `body`. */
export function decodeChange(
  body: Uint8Array,
  entries: { readonly firstIndex: number; readonly entryCount: number },
): RecordedChange | undefined {
  const reader = new ByteReader(body);
  const flags = reader.u8();
  const hardState = (flags & flagBits.hardState) === 0 ? undefined : readHardState(reader);
  const hasStart = (flags & (flagBits.startKeep | flagBits.startDrop)) !== 0;
  const position = hasStart ? readSnapshotMeta(reader) : undefined;
  const hasContext = (flags & flagBits.startContext) !== 0;
  const meta = position === undefined || !hasContext ? position : { ...position, context: reader.sized() };
  const intent = (flags & flagBits.intent) === 0 ? undefined : readPosition(reader);
  const promises = (flags & flagBits.promises) === 0 ? undefined : reader.sized();
  if (flags > flagsMax) return undefined;
  const decoded: Entry[] = [];
  for (let offset = 0; offset < entries.entryCount && !reader.isFailed; offset++) {
    decoded.push(readEntry(reader, (entries.firstIndex + offset) as LogIndex));
  }
  if (!reader.isComplete) return undefined;
  return {
    entries: decoded,
    ...((flags & flagBits.repair) === 0 ? {} : { isRepair: true as const }),
    ...(intent === undefined ? {} : { intent }),
    ...(promises === undefined ? {} : { promises }),
    ...(hardState === undefined ? {} : { hardState }),
    ...(meta === undefined
      ? {}
      : { start: { meta, entries: (flags & flagBits.startDrop) === 0 ? ("keep" as const) : ("drop" as const) } }),
  };
}

function readHardState(reader: ByteReader): HardState {
  return { term: reader.varint() as Term, vote: readPeer(reader), commit: reader.varint() as LogIndex };
}
