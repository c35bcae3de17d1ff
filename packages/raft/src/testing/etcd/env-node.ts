import { defaultConfig, productSwitches, type Config, type DurableState } from "../../core/config.ts";
import { createRaft } from "../../core/create-raft.ts";
import { emptyMembership, type Entry, type HardState, type Membership, type SnapshotMeta } from "../../core/entries.ts";
import type { Message } from "../../core/messages.ts";
import type { Output, PersistOrder } from "../../core/output.ts";
import type { RaftCore } from "../../core/raft-core.ts";
import type { Role } from "../../core/role.ts";
import type { LogIndex, PeerId, Term } from "../../core/types.ts";
import { CommandError } from "./command-error.ts";
import { describeMessageText, textOfMessage, type MessageText } from "./describe.ts";

/** What travels in the environment: a peer message, or what a storage thread answers its own node. */
export type Envelope =
  | { readonly kind: "peer"; readonly to: PeerId; readonly message: Message; readonly text: MessageText }
  | { readonly kind: "appended"; readonly to: PeerId; readonly token: number; readonly text: MessageText }
  | { readonly kind: "applied"; readonly to: PeerId; readonly index: LogIndex; readonly text: MessageText };

/** Work of a node's append thread. */
export interface AppendWork {
  readonly order: PersistOrder;
  readonly text: MessageText;
  readonly responses: readonly Envelope[];
}

/** Work of a node's apply thread. */
export interface ApplyWork {
  readonly entries: readonly Entry[];
  readonly text: MessageText;
  readonly responses: readonly Envelope[];
}

/** What a script says about new nodes. */
export interface NodeOptions {
  readonly voters: readonly PeerId[];
  readonly learners: readonly PeerId[];
  readonly index: number;
  readonly content: string;
  readonly isAsync: boolean;
  readonly inflight: number;
  readonly applyBytesMax: number;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly validateChanges: boolean;
  readonly leaseReads: boolean;
  readonly stepDownOnRemoval: boolean;
}

/** A Ready in etcd's sense: what one drain gave, with the soft state if it changed. */
export interface Ready {
  readonly output: Output;
  readonly soft: { readonly role: Role; readonly leader: PeerId | undefined } | undefined;
  readonly mustSync: boolean;
}

/** One node of the environment: a core, a memory log store and an appending state machine. */
export class EnvNode {
  readonly id: PeerId;
  readonly isAsync: boolean;
  readonly core: RaftCore;
  appendWork: AppendWork[] = [];
  applyWork: ApplyWork[] = [];
  /** Start and entries of the stored log. */
  start: SnapshotMeta;
  stored: Entry[] = [];
  /** What the state machine holds after each applied index. */
  readonly contents = new Map<number, string>();
  /** What it holds now. */
  content: string;
  #soft: { readonly role: Role; readonly leader: PeerId | undefined };
  #hard: HardState;

  constructor(id: PeerId, options: NodeOptions) {
    this.id = id;
    this.isAsync = options.isAsync;
    this.content = options.content;
    const isEmpty = options.index === 0;
    const membership: Membership = { ...emptyMembership, voters: options.voters, learners: options.learners };
    this.start = { term: (isEmpty ? 0 : 1) as Term, index: options.index as LogIndex, membership };
    this.contents.set(options.index, options.content);
    // The highest random number: a follower waits five ticks, so that three ticks of one do not start an election.
    this.core = createRaft(configFor(id, options), bootFor(this.start), () => 0.999);
    const view = this.core.view();
    this.#soft = { role: view.role, leader: view.leader };
    this.#hard = { term: view.term, vote: view.vote, commit: view.commitIndex };
  }

  /** What there is to do; undefined: nothing. */
  ready(): Ready | undefined {
    const output = this.core.drain();
    const view = this.core.view();
    const isSoftNew = view.role !== this.#soft.role || view.leader !== this.#soft.leader;
    const isEmpty = output.persist === undefined && output.send.length === 0 && output.apply.length === 0;
    if (isEmpty && !isSoftNew) return undefined;
    if (isSoftNew) this.#soft = { role: view.role, leader: view.leader };
    const hard = output.persist?.hardState;
    const isVoteNew = hard !== undefined && (hard.term !== this.#hard.term || hard.vote !== this.#hard.vote);
    if (hard !== undefined) this.#hard = hard;
    const mustSync = isVoteNew || (output.persist?.append.length ?? 0) > 0;
    return { output, soft: isSoftNew ? this.#soft : undefined, mustSync };
  }

  /** Writes to the memory log store. */
  write(order: PersistOrder): void {
    if (order.snapshot !== undefined) {
      this.start = order.snapshot;
      this.stored = [];
    }
    const first = order.append[0];
    if (first === undefined) return;
    this.stored = this.stored.filter((entry) => entry.index < first.index);
    this.stored.push(...order.append);
  }

  /** The stored log begins after `index`. */
  compact(index: number): void {
    const entry = this.stored.find((stored) => stored.index === index);
    const membership = this.core.membershipAt(index as LogIndex);
    if (index <= this.start.index) throw new CommandError("requested index is unavailable due to compaction");
    if (entry === undefined || membership === undefined) return;
    this.start = { term: entry.term, index: entry.index, membership };
    this.stored = this.stored.filter((stored) => stored.index > index);
    this.core.step({ kind: "compact", throughIndex: entry.index });
  }

  /** Applies entries one by one, telling the core of every configuration entry as it comes to it. */
  applyEntries(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const { payload, index } = entry;
      if (payload.kind === "configuration") this.core.step({ kind: "configurationReached", index });
      if (payload.kind === "application") this.content += String.fromCharCode(...payload.data);
      this.contents.set(index, this.content);
      this.core.step({ kind: "snapshotAvailable", index });
    }
  }
}

/** A peer message ready to travel. */
export function envelopeOf(message: Message): Envelope {
  return { kind: "peer", to: message.to, message, text: textOfMessage(message) };
}

/** The line of a message. */
export function lineOf(envelope: { readonly text: MessageText }): string {
  return describeMessageText(envelope.text);
}

function bootFor(start: SnapshotMeta): DurableState {
  return {
    hardState: { term: 0 as Term, vote: 0 as PeerId, commit: 0 as LogIndex },
    logStart: start,
    termRuns: [],
    lastIndex: start.index,
    configurationEntries: [],
    window: [],
    appliedIndex: start.index,
  };
}

function configFor(id: PeerId, options: NodeOptions): Config {
  const unlimited = Number.POSITIVE_INFINITY;
  return {
    ...defaultConfig(id),
    electionTicks: 3,
    heartbeatTicks: 1,
    appendBytesMax: unlimited,
    inflightAppendsMax: options.inflight,
    inflightBytesMax: unlimited,
    uncommittedBytesMax: unlimited,
    applyBytesMax: options.applyBytesMax,
    windowBytesMax: unlimited,
    persistStallTicks: 0,
    resolveTicks: unlimited,
    switches: {
      ...productSwitches,
      preVote: options.preVote,
      checkQuorum: options.checkQuorum,
      validateChanges: options.validateChanges,
      leaseReads: options.leaseReads,
      stepDownOnRemoval: options.stepDownOnRemoval,
      forwardProposals: true,
      forwardReads: true,
      applyUndurable: !options.isAsync,
      deliverOwnMessages: options.isAsync,
      leadBeforeOwnVote: true,
      voteAtStart: true,
      commitByVote: false,
      commitInHeartbeats: false,
    },
  };
}
