import { entryBytes, type Entry } from "../core/entries.ts";
import type { RecordedChange } from "./change-codec.ts";

/** Entries of one record hold at most so many bytes; a single larger entry has a record of its own. */
const recordEntriesBytesMax = 16 * 1024 * 1024;

/**
 * A change as records of bounded size, each of entries that follow each other (those of a repair may not). All but the entries goes with the first one: a crash in between may
 * then leave a term without its entries, which is safe, but never entries without their term.
 */
export function splitChange(change: RecordedChange): readonly RecordedChange[] {
  const pieces: Entry[][] = [];
  let piece: Entry[] = [];
  let bytes = 0;
  for (const entry of change.entries) {
    const isNext = entry.index === (piece.at(-1)?.index ?? entry.index - 1) + 1;
    if (piece.length > 0 && (!isNext || bytes + entryBytes(entry) > recordEntriesBytesMax)) {
      pieces.push(piece);
      piece = [];
      bytes = 0;
    }
    piece.push(entry);
    bytes += entryBytes(entry);
  }
  if (pieces.length === 0) return [change];
  return [...pieces, piece].map((entries, position) =>
    position === 0
      ? { ...change, entries }
      : { entries, ...(change.isRepair === true ? { isRepair: true as const } : {}) },
  );
}
