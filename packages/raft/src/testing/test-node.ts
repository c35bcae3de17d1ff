import { assert } from "@holdfast/base";
import type { Config, DurableState } from "../core/config.ts";
import { createRaft } from "../core/create-raft.ts";
import type { Entry, HardState, Membership, SnapshotMeta } from "../core/entries.ts";
import { addedBehind, common, without, type IndexRanges } from "../core/index-ranges.ts";
import type { Message } from "../core/messages.ts";
import type { CoreEvent, FetchOrder, PersistOrder, Reply } from "../core/output.ts";
import type { RaftCore, RaftView } from "../core/raft-core.ts";
import { unknownTerm } from "../core/term-runs.ts";
import type { LogIndex, PeerId, Random, Term } from "../core/types.ts";

/** What one node of the cluster has on its memory disk, and what is on the way there. */
export interface TestDisk {
  hardState: HardState;
  logStart: SnapshotMeta;
  entries: Entry[];
  /** Which of them cannot be read any more; they stay above, to see that nothing else comes back. */
  lost: IndexRanges;
}

/** A write under way, the messages that wait for it, and the member's tick in which it was ordered. */
export interface PendingPersist {
  readonly order: PersistOrder;
  readonly after: readonly Message[];
  readonly sinceTick: number;
}

/** One member: its core, its disk, and what it has applied. */
export class TestNode {
  readonly id: PeerId;
  readonly disk: TestDisk;
  readonly applied: Entry[] = [];
  readonly replies: Reply[] = [];
  readonly events: CoreEvent[] = [];
  /** Orders given and not carried out, with the messages that wait for them. */
  pendingPersists: PendingPersist[] = [];
  pendingApplies: (readonly Entry[])[] = [];
  pendingFetches: FetchOrder[] = [];
  /** Undefined while crashed. */
  core: RaftCore | undefined;
  /** The disk takes orders but finishes none. */
  isDiskStalled = false;
  /** Ticks since it started. */
  ticks = 0;
  /** Counts its starts. */
  lives = 0;
  readonly config: Config;
  readonly #random: Random;
  appliedIndex: LogIndex = 0 as LogIndex;
  /** The state machine survives a crash up to here. */
  flushedIndex: LogIndex = 0 as LogIndex;
  /** A snapshot that arrived whole and is not installed yet. */
  staged: { readonly index: LogIndex; readonly applied: readonly Entry[] } | undefined;

  constructor(config: Config, membership: Membership, random: Random) {
    this.id = config.id;
    this.config = config;
    this.#random = random;
    const zero = { term: 0 as Term, index: 0 as LogIndex };
    this.disk = {
      hardState: { term: zero.term, vote: 0 as PeerId, commit: zero.index },
      logStart: { ...zero, membership },
      entries: [],
      lost: [],
    };
    this.start();
  }

  /** Begins from what is on the disk and in the state machine. */
  start(): void {
    this.ticks = 0;
    this.lives++;
    this.core = createRaft(this.config, bootFrom(this.disk, this.appliedIndex), this.#random);
  }

  /** What the state machine has is safe from a crash. */
  flush(): void {
    this.flushedIndex = this.appliedIndex;
  }

  /** Of the oldest order the entries get to disk, and not the term and vote: a crash in the middle of it. */
  tear(): void {
    const order = this.pendingPersists[0]?.order;
    if (order === undefined || order.append.length === 0 || order.snapshot !== undefined) return;
    this.#write({ ...order, hardState: this.disk.hardState });
  }

  /** The disk cannot read these entries any more. Only while it is down. */
  rot(from: LogIndex, to: LogIndex): void {
    const rest = without(this.disk.lost, { from, to });
    this.disk.lost = [...rest, { from, to }].sort((left, right) => left.from - right.from).reduce(addedBehind, []);
  }

  /** Loses everything that was not on the disk. */
  crash(): void {
    this.core = undefined;
    this.pendingPersists = [];
    this.pendingApplies = [];
    this.pendingFetches = [];
    this.staged = undefined;
    this.appliedIndex = this.flushedIndex;
    while ((this.applied[this.applied.length - 1]?.index ?? 0) > this.flushedIndex) this.applied.pop();
  }

  view(): RaftView {
    assert(this.core !== undefined, "the node runs");
    return this.core.view();
  }

  /** Carries out one persist order and everything it frees. */
  finishPersist(): readonly Message[] {
    const next = this.pendingPersists.shift();
    if (next === undefined || this.core === undefined) return [];
    this.#write(next.order);
    this.core.step({ kind: "persisted", token: next.order.token });
    return next.after;
  }

  #write(order: PersistOrder): void {
    const { disk } = this;
    if (order.snapshot !== undefined) {
      disk.logStart = order.snapshot;
      disk.entries = [];
      disk.lost = [];
      this.#install(order.snapshot.index);
    }
    for (const entry of order.repair ?? []) {
      const was = disk.entries.find(({ index }) => index === entry.index);
      const isSame = JSON.stringify(was) === JSON.stringify(entry);
      assert(isSame || entry.index <= this.view().commitIndex, "what was lost comes back as it was");
      disk.entries = disk.entries.map((kept) => (kept.index === entry.index ? entry : kept));
      disk.lost = without(disk.lost, { from: entry.index, to: entry.index });
    }
    const first = order.append[0];
    if (first !== undefined) {
      disk.entries = disk.entries.filter((entry) => entry.index < first.index);
      disk.entries.push(...order.append);
      disk.lost = without(disk.lost, { from: first.index, to: Number.MAX_SAFE_INTEGER });
    }
    if (order.hardState !== undefined) disk.hardState = order.hardState;
  }

  #install(index: LogIndex): void {
    assert(this.staged !== undefined && this.staged.index >= index, "an installed snapshot arrived before");
    this.applied.length = 0;
    this.applied.push(...this.staged.applied.filter((entry) => entry.index <= index));
    this.pendingApplies = [];
    this.appliedIndex = index;
    this.flushedIndex = index;
  }

  /** Applies the oldest batch. */
  finishApply(): void {
    const batch = this.pendingApplies.shift();
    const last = batch?.[batch.length - 1];
    if (batch === undefined || last === undefined || this.core === undefined) return;
    this.applied.push(...batch);
    this.appliedIndex = last.index;
    this.core.step({ kind: "applied", index: last.index });
  }

  /** Answers the oldest fetch. */
  finishFetch(): void {
    const fetch = this.pendingFetches.shift();
    if (fetch === undefined || this.core === undefined) return;
    const isReadable = common(this.disk.lost, { from: fetch.fromIndex, to: fetch.toIndex }).length === 0;
    assert(isReadable, "nobody asks for entries that are lost");
    const entries = this.disk.entries.filter((entry) => entry.index >= fetch.fromIndex && entry.index <= fetch.toIndex);
    const isThere = entries[0]?.index === fetch.fromIndex;
    this.core.step({ kind: "fetched", ref: fetch.ref, entries: isThere ? entries : "compacted" });
  }
}

/** The boot state that a log store would find on this disk. */
export function bootFrom(disk: TestDisk, appliedIndex: LogIndex): DurableState {
  const termRuns: { term: Term; firstIndex: LogIndex }[] = [];
  const isLost = (index: LogIndex): boolean => common(disk.lost, { from: index, to: index }).length > 0;
  for (const { term: trueTerm, index } of disk.entries) {
    const term = isLost(index) ? unknownTerm : trueTerm;
    if (termRuns[termRuns.length - 1]?.term !== term) termRuns.push({ term, firstIndex: index });
  }
  return {
    hardState: disk.hardState,
    logStart: disk.logStart,
    termRuns,
    lastIndex: disk.entries[disk.entries.length - 1]?.index ?? disk.logStart.index,
    configurationEntries: disk.entries.filter(
      ({ payload, index }) => payload.kind === "configuration" && !isLost(index),
    ),
    window: disk.entries.slice(disk.entries.findLastIndex(({ index }) => isLost(index)) + 1),
    ...(disk.lost.length === 0
      ? {}
      : { missing: { ranges: disk.lost, lastTerm: disk.entries.at(-1)?.term ?? unknownTerm } }),
    appliedIndex: Math.max(appliedIndex, disk.logStart.index) as LogIndex,
  };
}
