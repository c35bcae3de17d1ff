import { assert, type Result, exhaustive, ok, refused } from "@holdfast/base";
import { entryBytes, type Entry, type EntryId } from "../core/entries.ts";
import type { Message } from "../core/messages.ts";
import type { LogIndex, PeerId, Term } from "../core/types.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { entryBytesMin, readEntry, readPeer, readSnapshotMeta, writeEntry, writeSnapshotMeta } from "./entry-codec.ts";

/** A longer message is refused before it is looked at. */
export const messageBytesMax = 64 * 1024 * 1024;

const formatVersion = 1;
/** The numbers go over the wire between versions: append only. */
const kindNumbers: Readonly<Record<Message["kind"], number>> = {
  voteRequest: 1,
  voteResponse: 2,
  appendRequest: 3,
  appendResponse: 4,
  heartbeatRequest: 5,
  heartbeatResponse: 6,
  snapshotRequest: 7,
  timeoutNow: 8,
  forwardedProposal: 9,
  forwardedTransfer: 10,
  readIndexRequest: 11,
  readIndexResponse: 12,
};
const kindByNumber = new Map(Object.entries(kindNumbers).map(([kind, number]) => [number, kind as Message["kind"]]));

/** Why bytes are not a message. */
export type MessageFault = "tooLarge" | "unknownVersion" | "unknownKind" | "malformed";

interface Header {
  readonly from: PeerId;
  readonly to: PeerId;
  readonly term: Term;
}

/** A message as bytes: version, kind, from, to, term, then the kind's own fields; numbers as varints. */
export function encodeMessage(message: Message): Uint8Array {
  const writer = new ByteWriter(expectedBytes(message));
  writer.u8(formatVersion);
  writer.u8(kindNumbers[message.kind]);
  writer.varint(message.from);
  writer.varint(message.to);
  writer.varint(message.term);
  writeFields(writer, message);
  const bytes = writer.finish();
  assert(bytes.length <= messageBytesMax, "a message is within its limit");
  return bytes;
}

/**
 * The message in bytes that nobody vouches for. Never throws, and allocates no more than a small multiple of their
 * length. Entries' data shares memory with `bytes`.
 */
export function decodeMessage(bytes: Uint8Array): Result<Message, MessageFault> {
  if (bytes.length > messageBytesMax) return refused("tooLarge");
  const reader = new ByteReader(bytes);
  if (reader.u8() !== formatVersion) return refused(reader.isFailed ? "malformed" : "unknownVersion");
  const kind = kindByNumber.get(reader.u8());
  if (kind === undefined) return refused(reader.isFailed ? "malformed" : "unknownKind");
  const header = { from: readPeer(reader), to: readPeer(reader), term: reader.varint() as Term };
  const message = readFields(reader, kind, header);
  return reader.isComplete ? ok(message) : refused("malformed");
}

function expectedBytes(message: Message): number {
  let bytes = 64;
  if (message.kind === "appendRequest") for (const entry of message.entries) bytes += entryBytes(entry);
  return bytes;
}

function writeFields(writer: ByteWriter, message: Message): void {
  switch (message.kind) {
    case "voteRequest":
      writer.u8((message.isPreVote ? 1 : 0) | (message.isTransfer ? 2 : 0));
      writeId(writer, message.last);
      return writeId(writer, message.commit);
    case "voteResponse":
      writer.u8((message.isPreVote ? 1 : 0) | (message.isRejected ? 2 : 0));
      return writeId(writer, message.commit);
    case "appendRequest":
      writeId(writer, message.previous);
      writer.varint(message.commit);
      writer.varint(message.entries.length);
      for (const entry of message.entries) writeEntry(writer, entry);
      return;
    case "appendResponse":
      writer.varint(message.index);
      writer.u8((message.hint === undefined ? 0 : 1) | (message.hasLost === true ? 2 : 0));
      if (message.hint !== undefined) writeId(writer, message.hint);
      return;
    case "heartbeatRequest":
      writeId(writer, message.commit);
      return writer.varint(message.round);
    case "heartbeatResponse":
      return writer.varint(message.round);
    case "snapshotRequest":
      return writeSnapshotMeta(writer, message.snapshot);
    case "timeoutNow":
      return;
    case "forwardedProposal":
      return writeForwarded(writer, message.entries);
    case "forwardedTransfer":
      return writer.varint(message.target);
    case "readIndexRequest":
      return writer.varint(message.request);
    case "readIndexResponse":
      writer.varint(message.request);
      return writer.varint(message.index);
    default:
      exhaustive(message);
  }
}

function readFields(reader: ByteReader, kind: Message["kind"], header: Header): Message {
  switch (kind) {
    case "voteRequest": {
      const flags = readFlags(reader);
      return {
        ...header,
        kind,
        isPreVote: flags.low,
        isTransfer: flags.high,
        last: readId(reader),
        commit: readId(reader),
      };
    }
    case "voteResponse": {
      const flags = readFlags(reader);
      return { ...header, kind, isPreVote: flags.low, isRejected: flags.high, commit: readId(reader) };
    }
    case "appendRequest": {
      const previous = readId(reader);
      const commit = readIndex(reader);
      return { ...header, kind, previous, commit, entries: readEntries(reader, previous.index) };
    }
    case "appendResponse": {
      const index = readIndex(reader);
      const flags = readFlags(reader);
      if (!flags.low) {
        if (flags.high) reader.fail();
        return { ...header, kind, index };
      }
      const response = { ...header, kind, index, hint: readId(reader) };
      return flags.high ? { ...response, hasLost: true } : response;
    }
    case "heartbeatRequest":
      return { ...header, kind, commit: readId(reader), round: reader.varint() };
    case "heartbeatResponse":
      return { ...header, kind, round: reader.varint() };
    case "snapshotRequest":
      return { ...header, kind, snapshot: readSnapshotMeta(reader) };
    case "timeoutNow":
      return { ...header, kind };
    case "forwardedProposal":
      return { ...header, kind, entries: readForwarded(reader) };
    case "forwardedTransfer":
      return { ...header, kind, target: readPeer(reader) };
    case "readIndexRequest":
      return { ...header, kind, request: reader.varint() };
    case "readIndexResponse":
      return { ...header, kind, request: reader.varint(), index: readIndex(reader) };
    default:
      return exhaustive(kind);
  }
}

function writeId(writer: ByteWriter, id: EntryId): void {
  writer.varint(id.term);
  writer.varint(id.index);
}

function readId(reader: ByteReader): EntryId {
  return { term: reader.varint() as Term, index: readIndex(reader) };
}

function readIndex(reader: ByteReader): LogIndex {
  return reader.varint() as LogIndex;
}

function readFlags(reader: ByteReader): { readonly low: boolean; readonly high: boolean } {
  const flags = reader.u8();
  if (flags > 3) reader.fail();
  return { low: (flags & 1) !== 0, high: (flags & 2) !== 0 };
}

function readEntries(reader: ByteReader, previousIndex: number): readonly Entry[] {
  const count = reader.count(entryBytesMin);
  if (!Number.isSafeInteger(previousIndex + count)) reader.fail();
  const entries: Entry[] = [];
  for (let offset = 1; offset <= count && !reader.isFailed; offset++)
    entries.push(readEntry(reader, (previousIndex + offset) as LogIndex));
  return entries;
}

function writeForwarded(writer: ByteWriter, entries: readonly Entry[]): void {
  writer.varint(entries.length);
  for (const entry of entries) {
    writer.varint(entry.index);
    writeEntry(writer, entry);
  }
}

function readForwarded(reader: ByteReader): readonly Entry[] {
  const count = reader.count(entryBytesMin + 1);
  const entries: Entry[] = [];
  for (let index = 0; index < count && !reader.isFailed; index++) entries.push(readEntry(reader, readIndex(reader)));
  return entries;
}
