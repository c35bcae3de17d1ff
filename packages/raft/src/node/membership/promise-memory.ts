import { isPlanted } from "@holdfast/base";
import type { EntryId } from "../../core/entries.ts";
import type { Message } from "../../core/messages.ts";
import type { LogIndex, PeerId } from "../../core/types.ts";
import { ByteReader } from "../../transport/byte-reader.ts";
import { ByteWriter } from "../../transport/byte-writer.ts";
import { readFlag, readPeer } from "../../transport/entry-codec.ts";
import { bytesOfHex, hexOf } from "../../transport/hello-codec.ts";
import { isOfLeader, type PeerHello } from "../../transport/transport.ts";

interface Promises {
  readonly incarnation: string;
  /** The highest term in which it said to have entries on disk, and up to where. */
  ackTerm: number;
  ackIndex: number;
  /** The highest term in which it voted for this node. */
  voteTerm: number;
  /** It was there, and new, when this node founded the group. */
  isCofounder: boolean;
}

const formatVersion = 2;
/** Peer, length of the incarnation, two terms, an index, since version 2 a flag. */
const promisesBytesMin = 5;
/** A hello of a process further back than this does not come any more. */
const livesMax = 16;

/**
 * What other members promised to this node: only what they said after it was durable. A member that comes back with less
 * has been given an old copy of its directory, or its disk lied: it does not know what it voted and acknowledged. Kept
 * in this node's log (promise-keeper.ts).
 */
export class PromiseMemory {
  readonly #self: PeerId;
  readonly #promises = new Map<PeerId, Promises>();
  /** Which of its processes each member has made itself known with, and whether that one had forgotten something. */
  readonly #verdicts = new Map<PeerId, Map<string, boolean>>();
  #isChanged = false;
  #isUrgent = false;

  constructor(self: PeerId, stored?: Uint8Array) {
    this.#self = self;
    const known = isPlanted("promisesForgotten") ? undefined : stored;
    for (const [peer, promises] of decode(known ?? new Uint8Array())) this.#promises.set(peer, promises);
  }

  /** A member said this. Who leads has its term on disk, whatever it sends. */
  note(message: Message, incarnation: string): void {
    if (message.kind === "appendResponse") {
      if (message.hint !== undefined) return;
      this.noteHeld(message.from, incarnation, message);
    } else if (message.kind === "voteResponse" && !message.isPreVote && !message.isRejected) {
      const promises = this.#of(message.from, incarnation);
      if (message.term <= promises.voteTerm) return;
      promises.voteTerm = message.term;
      this.#isChanged = true;
      this.#isUrgent = true;
    } else if (isOfLeader(message) && !isPlanted("leaderTermUnheard")) {
      this.noteHeld(message.from, incarnation, { term: message.term, index: 0 as LogIndex });
    }
  }

  /** In this term it had the leader's entries on disk up to this one: a follower by its acknowledgement, a leader by its word. */
  noteHeld(peer: PeerId, incarnation: string, { term, index }: EntryId): void {
    const promises = this.#of(peer, incarnation);
    if (term < promises.ackTerm || (term === promises.ackTerm && index <= promises.ackIndex)) return;
    if (term > promises.ackTerm) this.#isUrgent = true;
    promises.ackTerm = term;
    promises.ackIndex = index;
    this.#isChanged = true;
  }

  /** This directory was there, and new, when this node founded the group. */
  noteCofounder(peer: PeerId, incarnation: string): void {
    this.#of(peer, incarnation).isCofounder = true;
    this.#isChanged = true;
  }

  /** Directories of which that was noted, and that are still what their members speak from. */
  get cofounders(): ReadonlyMap<PeerId, string> {
    const known = [...this.#promises].filter(([, { isCofounder }]) => isCofounder);
    return new Map(known.map(([peer, { incarnation }]) => [peer, incarnation]));
  }

  /**
   * Whether what it says of itself when it makes a stream is less than what it promised. Each of its processes is judged
   * once, by the first thing it says: afterwards it only gets further, and what comes late over an old stream says less.
   */
  hasForgotten(peer: PeerId, hello: PeerHello): boolean {
    const verdicts = this.#verdicts.get(peer) ?? new Map<string, boolean>();
    const known = hello.life === "" ? undefined : verdicts.get(hello.life);
    if (known !== undefined) return known;
    const promises = this.#promises.get(peer);
    const verdict = promises?.incarnation === hello.incarnation && isLess(hello, promises, this.#self);
    verdicts.set(hello.life, verdict);
    const [oldest] = verdicts.keys();
    if (verdicts.size > livesMax && oldest !== undefined) verdicts.delete(oldest);
    this.#verdicts.set(peer, verdicts);
    return verdict;
  }

  /**
   * Whether somebody is known to be in a later term than what was last asked for says: that must be on disk with the first
   * entry of the term, or a crash right after it would hide that somebody forgot the term.
   */
  get isUrgent(): boolean {
    return this.#isUrgent;
  }

  /** All of it, if something was added since it was last asked for; to be stored. */
  takeChanged(): Uint8Array | undefined {
    if (!this.#isChanged) return undefined;
    this.#isChanged = false;
    this.#isUrgent = false;
    return encode(this.#promises);
  }

  #of(peer: PeerId, incarnation: string): Promises {
    let promises = this.#promises.get(peer);
    if (promises?.incarnation !== incarnation) {
      promises = { incarnation, ackTerm: 0, ackIndex: 0, voteTerm: 0, isCofounder: false };
      this.#promises.set(peer, promises);
    }
    return promises;
  }
}

function isLess(hello: PeerHello, { ackTerm, ackIndex, voteTerm }: Promises, self: PeerId): boolean {
  if (hello.durableTerm < Math.max(ackTerm, voteTerm)) return true;
  if (hello.durableTerm === ackTerm && hello.durableIndex < ackIndex) return true;
  return voteTerm > 0 && hello.durableTerm === voteTerm && hello.durableVote !== self;
}

function encode(all: ReadonlyMap<PeerId, Promises>): Uint8Array {
  const writer = new ByteWriter(16 + 48 * all.size);
  writer.u8(formatVersion);
  writer.varint(all.size);
  for (const [peer, promises] of [...all].sort(([left], [right]) => left - right)) {
    writer.varint(peer);
    writer.sized(bytesOfHex(promises.incarnation));
    writer.varint(promises.ackTerm);
    writer.varint(promises.ackIndex);
    writer.varint(promises.voteTerm);
    writer.u8(promises.isCofounder ? 1 : 0);
  }
  return writer.finish();
}

/** What `encode` wrote, of this version or the first; nothing for other bytes. */
function decode(bytes: Uint8Array): readonly (readonly [PeerId, Promises])[] {
  const reader = new ByteReader(bytes);
  const version = bytes.length === 0 ? 0 : reader.u8();
  if (version < 1 || version > formatVersion) return [];
  const found: (readonly [PeerId, Promises])[] = [];
  const count = reader.count(promisesBytesMin);
  for (let position = 0; position < count && !reader.isFailed; position++) {
    const peer = readPeer(reader);
    const incarnation = hexOf(reader.sized());
    const [ackTerm, ackIndex, voteTerm] = [reader.varint(), reader.varint(), reader.varint()];
    const isCofounder = version > 1 && readFlag(reader);
    found.push([peer, { incarnation, ackTerm, ackIndex, voteTerm, isCofounder }]);
  }
  return reader.isComplete ? found : [];
}
