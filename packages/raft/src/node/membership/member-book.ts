import type { Entry, SnapshotMeta } from "../../core/entries.ts";
import { nobody, type LogIndex, type PeerId } from "../../core/types.ts";
import { ByteReader } from "../../transport/byte-reader.ts";
import { ByteWriter } from "../../transport/byte-writer.ts";
import { readFlag, readPeer } from "../../transport/entry-codec.ts";
import { bytesOfHex, hexOf } from "../../transport/hello-codec.ts";

/** What the group agreed on about a member, besides its role. */
export interface MemberFact {
  readonly peer: PeerId;
  /** host:port under which the others reach it; empty: as configured. */
  readonly address: string;
  /** The directory that speaks for it, 32 hex digits; empty: not registered yet. */
  readonly incarnation: string;
  /** While it is a learner: it becomes a voter once it has caught up. */
  readonly isVoterWanted: boolean;
  /** The member that goes when this one becomes a voter; nobody: none. */
  readonly replaces: PeerId;
}

/** Facts by member. */
export type MemberBook = ReadonlyMap<PeerId, MemberFact>;

const formatVersion = 1;
/** Peer, address, incarnation, flag, replaced peer. */
const factBytesMin = 5;

/** Facts as the context of a configuration entry or of the log's start. */
export function encodeFacts(facts: Iterable<MemberFact>): Uint8Array {
  const list = [...facts].sort((left, right) => left.peer - right.peer);
  const writer = new ByteWriter(64 + 64 * list.length);
  writer.u8(formatVersion);
  writer.varint(list.length);
  for (const fact of list) {
    writer.varint(fact.peer);
    writer.sized(new TextEncoder().encode(fact.address));
    writer.sized(bytesOfHex(fact.incarnation));
    writer.u8(fact.isVoterWanted ? 1 : 0);
    writer.varint(fact.replaces);
  }
  return writer.finish();
}

/** What `encodeFacts` wrote; nothing for bytes that are not facts (another host's context). */
export function decodeFacts(bytes: Uint8Array): readonly MemberFact[] {
  const reader = new ByteReader(bytes);
  if (bytes.length === 0 || reader.u8() !== formatVersion) return [];
  const facts: MemberFact[] = [];
  const count = reader.count(factBytesMin);
  for (let position = 0; position < count && !reader.isFailed; position++) {
    facts.push({
      peer: readPeer(reader),
      address: new TextDecoder().decode(reader.sized()),
      incarnation: hexOf(reader.sized()),
      isVoterWanted: readFlag(reader),
      replaces: readPeer(reader),
    });
  }
  return reader.isComplete ? facts : [];
}

/** What the log says about members, derived from the log's start and the applied configuration entries after it only. */
export class MemberBooks {
  /** Ascending; the first stands at the log's start. */
  #history: { readonly index: LogIndex; readonly book: MemberBook }[];

  constructor(start: SnapshotMeta) {
    this.#history = [{ index: start.index, book: bookOf(start) }];
  }

  /** As of now. */
  get current(): MemberBook {
    return this.#history.at(-1)?.book ?? new Map();
  }

  /** As of an applied index. */
  at(index: LogIndex): MemberBook {
    return this.#history.findLast((known) => known.index <= index)?.book ?? new Map();
  }

  /** This entry is applied. Whether the book changed. */
  take(entry: Entry): boolean {
    if (entry.payload.kind !== "configuration" || entry.index <= (this.#history.at(-1)?.index ?? 0)) return false;
    const { change } = entry.payload;
    const book = new Map(this.current);
    for (const fact of decodeFacts(change.context)) book.set(fact.peer, fact);
    for (const { action, peer } of change.steps) {
      const fact = book.get(peer);
      if (action === "remove") book.delete(peer);
      // Once it has a vote, nothing more is wanted.
      else if (action === "addVoter" && fact !== undefined)
        book.set(peer, { ...fact, isVoterWanted: false, replaces: nobody });
    }
    this.#history.push({ index: entry.index, book });
    return true;
  }

  /** Begins anew at the log's start with these entries, all that are applied after it. */
  rederive(entries: readonly Entry[]): void {
    this.#history = this.#history.slice(0, 1);
    for (const entry of entries) this.take(entry);
  }

  /** A snapshot took the place of everything. */
  restart(start: SnapshotMeta): void {
    this.#history = [{ index: start.index, book: bookOf(start) }];
  }

  /** The log's start as it is to be stored: with the book of that index. Forgets older ones. */
  compact(start: SnapshotMeta): SnapshotMeta {
    const book = this.at(start.index);
    this.#history = [{ index: start.index, book }, ...this.#history.filter(({ index }) => index > start.index)];
    return { ...start, context: encodeFacts(book.values()) };
  }

  /** A position with its book. */
  describe(meta: SnapshotMeta): SnapshotMeta {
    return { ...meta, context: encodeFacts(this.at(meta.index).values()) };
  }
}

function bookOf(start: SnapshotMeta): MemberBook {
  return new Map(decodeFacts(start.context ?? new Uint8Array(0)).map((fact) => [fact.peer, fact]));
}
