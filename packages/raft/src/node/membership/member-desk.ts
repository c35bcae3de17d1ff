import { isPlanted } from "@holdfast/base";
import type { Entry, EntryId, SnapshotMeta } from "../../core/entries.ts";
import type { Message } from "../../core/messages.ts";
import type { Membership } from "../../core/entries.ts";
import { membersOf } from "../../core/membership.ts";
import type { LogIndex, PeerId } from "../../core/types.ts";
import type { RaftPeer } from "../../api.ts";
import type { LogBoot } from "../../log-store/log-store.ts";
import type { PeerHello, Standing } from "../../transport/transport.ts";
import { MemberBooks, type MemberBook } from "./member-book.ts";
import { PromiseMemory } from "./promise-memory.ts";

/** Who belongs to the group, where they are, and whether those who speak for them are who the group knows. */
export class MemberDesk {
  readonly #self: RaftPeer;
  readonly #configured: readonly RaftPeer[];
  readonly #promises: PromiseMemory;
  #books: MemberBooks;
  /** Configuration entries on their way through the state machine. */
  #onTheWay: Entry[] = [];

  constructor(options: {
    readonly self: RaftPeer;
    readonly configured: readonly RaftPeer[];
    readonly boot: LogBoot;
    readonly appliedIndex: LogIndex;
    /** What was stored of the others' promises. */
    readonly promises: Uint8Array | undefined;
  }) {
    this.#self = options.self;
    this.#configured = options.configured;
    this.#promises = new PromiseMemory(options.self.id, options.promises);
    this.#books = new MemberBooks(options.boot.logStart);
    for (const entry of options.boot.configurationEntries)
      if (entry.index <= options.appliedIndex) this.#books.take(entry);
  }

  /** As of now. */
  get book(): MemberBook {
    return this.#books.current;
  }

  /** As configured, or else from the log: who moves a group to other addresses starts it with them, and the log knows the old. */
  addressOf(peer: PeerId): string | undefined {
    const remembered = this.book.get(peer)?.address;
    return this.#configured.find(({ id }) => id === peer)?.address ?? (remembered === "" ? undefined : remembered);
  }

  /**
   * With whom streams are kept: the members, and those that the log or the configuration names. A member that lags may
   * know only that somebody was removed, and not that it is back and leads: it must hear it, and be able to answer.
   */
  peers(membership: Membership): readonly RaftPeer[] {
    const named = [...this.book.keys(), ...this.#configured.map(({ id }) => id)];
    const ids = [...new Set([...membersOf(membership), ...named])].filter((id) => id !== this.#self.id);
    return ids
      .sort((left, right) => left - right)
      .flatMap((id) => {
        const address = this.addressOf(id);
        return address === undefined ? [] : [{ id, address }];
      });
  }

  /** A member made a stream. False: it does not remember what it promised. */
  isWelcome(peer: PeerId, hello: PeerHello): boolean {
    return !this.#promises.hasForgotten(peer, hello);
  }

  /** How whoever speaks for a member is regarded. */
  standingOf(peer: PeerId, incarnation: string): Standing {
    const known = this.book.get(peer)?.incarnation ?? "";
    return known === "" || incarnation === "" || known === incarnation ? "member" : "stranger";
  }

  /** Remembers what a message promises. A leader's from a directory that is not known yet (or not any more) is left out. */
  note(message: Message, incarnation: string): void {
    if (this.standingOf(message.from, incarnation) === "member") this.#promises.note(message, incarnation);
  }

  /** This node founds the group, while these directories are there and new as well. */
  foundedWith(cofounders: ReadonlyMap<PeerId, string>): void {
    for (const [peer, incarnation] of cofounders) this.#promises.noteCofounder(peer, incarnation);
  }

  /** Those directories. */
  get cofounders(): ReadonlyMap<PeerId, string> {
    return isPlanted("foundersForgotten") ? new Map() : this.#promises.cofounders;
  }

  /** Remembers what a leader says it has on disk. */
  noteHeld(peer: PeerId, incarnation: string, held: EntryId): void {
    if (!isPlanted("leaderWordUnheard")) this.#promises.noteHeld(peer, incarnation, held);
  }

  /** Whether the others' promises should be stored with the very next write. */
  get arePromisesUrgent(): boolean {
    return this.#promises.isUrgent;
  }

  /** The others' promises, if there are new ones; to be stored. */
  takeChangedPromises(): Uint8Array | undefined {
    return this.#promises.takeChanged();
  }

  /** These entries are being applied. */
  watch(entries: readonly Entry[]): void {
    for (const entry of entries) if (entry.payload.kind === "configuration") this.#onTheWay.push(entry);
  }

  /** Everything up to `index` is applied. Whether the book changed. */
  applied(index: LogIndex): boolean {
    let isChanged = false;
    for (let first = this.#onTheWay[0]; first !== undefined && first.index <= index; first = this.#onTheWay[0]) {
      this.#onTheWay.shift();
      if (this.#books.take(first)) isChanged = true;
    }
    return isChanged;
  }

  /** These are all configuration entries between the log's start and what is applied; some were missing until now. */
  rederive(entries: readonly Entry[]): void {
    this.#books.rederive(entries);
  }

  /** A snapshot took the place of everything. */
  restart(meta: SnapshotMeta): void {
    this.#onTheWay = [];
    this.#books.restart(meta);
  }

  /** The log's start as it is to be stored. */
  compact(start: SnapshotMeta): SnapshotMeta {
    return this.#books.compact(start);
  }

  /** A position with what is known of members there. */
  describe(meta: SnapshotMeta): SnapshotMeta {
    return this.#books.describe(meta);
  }
}
