import { assertConfig, type Config, type DurableState } from "./config.ts";
import type { Entry, EntryId, HardState, Membership } from "./entries.ts";
import { LogView } from "./log-view.ts";
import { changeMembership, membersOf } from "./membership.ts";
import type { Message } from "./messages.ts";
import type { CoreEvent, FetchOrder, Output, Reply } from "./output.ts";
import { Progress } from "./progress.ts";
import type { Role } from "./role.ts";
import { nobody, type LogIndex, type PeerId, type Random, type Term } from "./types.ts";

/** A persist order that is not known to be done. */
export interface OpenPersist {
  readonly token: number;
  /** Term it was given in: entries it made durable count only in that term. */
  readonly term: Term;
  /** The log's end when it was given, if any of the log was not durable. */
  readonly last: EntryId | undefined;
  readonly snapshotIndex: LogIndex | undefined;
  /** It holds entries that the log had lost. */
  readonly isRepair: boolean;
  /** Answers to oneself that wait for it. */
  readonly ownMessages: readonly Message[];
  readonly givenAtTick: number;
}

/** A proposal or change in the log whose outcome is open. */
export interface OpenProposal extends EntryId {
  readonly ref: number;
}

/** A batch at the state machine. */
export interface OpenApply {
  readonly lastIndex: LogIndex;
  readonly bytes: number;
  readonly payloadBytes: number;
}

/** A read that waits: of this host (`ref`), or of a peer (`from` and its `request`). */
export type ReadOrigin = { readonly ref: number } | { readonly from: PeerId; readonly request: number };

/** A read that waits for a round of heartbeats. */
export interface WaitingRead {
  readonly origin: ReadOrigin;
  readonly index: LogIndex;
  /** Answerable when a quorum answered this round. */
  readonly round: number;
}

/** Reads at a leader (§6.4) and forwarded reads at a follower. Replaced, never mutated in place except by read-index.ts. */
export interface ReadState {
  /** Newest round that heartbeats carry. Counts up for the whole life of the core. */
  round: number;
  /** Newest round that a quorum answered. */
  confirmedRound: number;
  /** When rounds not yet confirmed began, oldest first. */
  roundStarts: { readonly round: number; readonly tick: number }[];
  /** The newest confirmed round and when it began; undefined: none in this term. */
  leaseStart: { readonly round: number; readonly tick: number } | undefined;
  waiting: WaitingRead[];
  /** Came before this leader committed anything in its term. */
  postponed: ReadOrigin[];
  /** Sent to the leader: request number is the ref. */
  forwarded: { readonly ref: number; readonly sentAtTick: number }[];
}

/** A fetch under way: for a follower's append, or for the state machine. */
export interface OpenFetch extends FetchOrder {
  readonly peer: PeerId | undefined;
}

/** What the next drain hands out. */
export interface Outbox {
  messages: Message[];
  /** Go when what was written before them is durable. */
  afterPersist: Message[];
  replies: Reply[];
  fetches: FetchOrder[];
  events: CoreEvent[];
  compact: Output["compact"];
  apply: NonNullable<Output["apply"]>[number][];
}

/** Everything a core knows. Mutable; only this folder touches it. */
export interface RaftState {
  readonly config: Config;
  random: Random;
  term: Term;
  vote: PeerId;
  role: Role;
  leader: PeerId;
  readonly log: LogView;
  membership: Membership;
  /** Ascending; the first stands at the log's start, the last is the active one. */
  membershipHistory: { readonly index: LogIndex; readonly membership: Membership }[];
  /** Configuration entries up to here have taken effect. */
  activatedIndex: LogIndex;
  readonly progress: Map<PeerId, Progress>;
  /** Keys of `progress`, ascending: the order in which peers are visited. */
  peerIds: readonly PeerId[];
  votes: Map<PeerId, boolean>;
  tick: number;
  electionElapsed: number;
  heartbeatElapsed: number;
  randomizedElectionTicks: number;
  /** Who is to take over; nobody: no transfer is under way. */
  transferee: PeerId;
  /** A hand-over was ordered in this term: its effect may come late, so leases count no more. */
  hasOrderedHandover: boolean;
  transferRefs: { readonly ref: number; readonly fromLeader: PeerId; readonly sinceTick: number }[];
  /** No further change may be appended until this is applied. */
  pendingConfigurationIndex: LogIndex;
  uncommittedBytes: number;
  reads: ReadState;
  openProposals: OpenProposal[];
  /** When open proposals of a lost leadership become `unknown`; undefined: not running. */
  resolveAtTick: number | undefined;
  openPersists: OpenPersist[];
  nextToken: number;
  persistedHardState: HardState;
  openApplies: OpenApply[];
  applyingBytes: number;
  isApplyPaused: boolean;
  openFetches: OpenFetch[];
  nextFetchRef: number;
  /** Newest index at which a snapshot can be streamed. */
  snapshotIndex: LogIndex;
  hasFailed: boolean;
  isDiskStallReported: boolean;
  readyTerm: Term;
  /** What the leader of `term` has sent of the log's first gap: from its beginning on, not known to be what was lost. */
  regained: { readonly term: Term; readonly entries: readonly Entry[] };
  /** Entries that were given back since the log was not whole. */
  lostCount: number;
  /** What events last told. */
  told: { role: Role; leader: PeerId; term: Term; commit: LogIndex };
  outbox: Outbox;
}

/** Nothing to hand out. */
export function emptyOutbox(): Outbox {
  return { messages: [], afterPersist: [], replies: [], fetches: [], events: [], compact: undefined, apply: [] };
}

/** No reads; rounds go on from where they were. */
export function emptyReads(round: number): ReadState {
  return {
    round,
    confirmedRound: round,
    roundStarts: [],
    leaseStart: undefined,
    waiting: [],
    postponed: [],
    forwarded: [],
  };
}

/** A fresh progress of a member. */
export function newProgress(config: Config, start: { next: LogIndex; isLearner: boolean }): Progress {
  return new Progress({ ...start, limits: config });
}

/** The state after a start: a follower that knows what was durable. */
export function createState(config: Config, boot: DurableState, random: Random): RaftState {
  assertConfig(config);
  const log = new LogView(boot);
  const history = historyAtBoot(boot);
  const membership = history[history.length - 1]?.membership ?? boot.logStart.membership;
  // A crash may leave entries of a write order whose term did not get to disk. No vote was given in that term then.
  const isTermTorn = log.lastIndex > log.start.index && log.last.term > boot.hardState.term;
  const term = isTermTorn ? log.last.term : boot.hardState.term;
  const state: RaftState = {
    config,
    random,
    term,
    vote: isTermTorn ? nobody : boot.hardState.vote,
    role: "follower",
    leader: nobody,
    log,
    membership,
    membershipHistory: history,
    activatedIndex: boot.appliedIndex,
    progress: new Map(),
    peerIds: [],
    votes: new Map(),
    tick: 0,
    electionElapsed: 0,
    heartbeatElapsed: 0,
    randomizedElectionTicks: config.electionTicks,
    transferee: nobody,
    hasOrderedHandover: false,
    transferRefs: [],
    pendingConfigurationIndex: 0 as LogIndex,
    uncommittedBytes: 0,
    reads: emptyReads(0),
    openProposals: [],
    resolveAtTick: undefined,
    openPersists: [],
    nextToken: 1,
    persistedHardState: { term: boot.hardState.term, vote: boot.hardState.vote, commit: log.committed },
    openApplies: [],
    applyingBytes: 0,
    isApplyPaused: false,
    openFetches: [],
    nextFetchRef: 1,
    snapshotIndex: boot.appliedIndex,
    hasFailed: false,
    isDiskStallReported: false,
    readyTerm: 0 as Term,
    regained: { term: 0 as Term, entries: [] },
    lostCount: 0,
    told: { role: "follower", leader: nobody, term, commit: log.committed },
    outbox: emptyOutbox(),
  };
  trackMembers(state, membersOf(membership));
  drawElectionTimeout(state);
  return state;
}

/** The configuration is always derived from the log's start and the applied entries after it, never stored apart. */
function historyAtBoot(boot: DurableState): { index: LogIndex; membership: Membership }[] {
  const history = [{ index: boot.logStart.index, membership: boot.logStart.membership }];
  let active = boot.logStart.membership;
  for (const entry of boot.configurationEntries) {
    if (entry.index > boot.appliedIndex || entry.payload.kind !== "configuration") continue;
    const changed = changeMembership(active, entry.payload.change);
    if (!changed.ok) continue;
    active = changed.value.membership;
    history.push({ index: entry.index, membership: active });
  }
  return history;
}

/** Makes `progress` and `peerIds` match the membership; `newcomers` begin anew. */
export function trackMembers(state: RaftState, newcomers: readonly PeerId[]): void {
  const { membership, progress, config } = state;
  state.peerIds = membersOf(membership);
  for (const id of [...progress.keys()]) if (!state.peerIds.includes(id)) progress.delete(id);
  for (const id of state.peerIds) {
    const isLearner = membership.learners.includes(id);
    const known = progress.get(id);
    if (known !== undefined && !newcomers.includes(id)) {
      known.isLearner = isLearner;
      continue;
    }
    const next = Math.max(state.log.lastIndex, 1) as LogIndex;
    const fresh = newProgress(config, { next, isLearner });
    // A newcomer gets a full election timeout before it counts as silent.
    fresh.isActive = true;
    progress.set(id, fresh);
  }
}

/** A new timeout between one and two election timeouts, so that ties break (§3.4). */
export function drawElectionTimeout(state: RaftState): void {
  const { electionTicks } = state.config;
  state.randomizedElectionTicks = electionTicks + Math.floor(state.random() * electionTicks);
}

/**
 * This node's own view of itself: present, with a vote, not waiting for a snapshot to be installed, and with every entry
 * of its log: a leader has to serve them.
 */
export function isPromotable(state: RaftState): boolean {
  const own = state.progress.get(state.config.id);
  return own !== undefined && !own.isLearner && state.log.pendingSnapshot === undefined && state.log.isWhole;
}

/** Queues a message that may go at once. */
export function send(state: RaftState, message: Message): void {
  state.outbox.messages.push(message);
}

/** Queues an answer that promises durability of what was written before it. */
export function sendAfterPersist(state: RaftState, message: Message): void {
  state.outbox.afterPersist.push(message);
}

/** From, to and term of an ordinary message. */
export function header(state: RaftState, to: PeerId): { from: PeerId; to: PeerId; term: Term } {
  return { from: state.config.id, to, term: state.term };
}

/** The leader for the outside. */
export function knownLeader(state: RaftState): PeerId | undefined {
  return state.leader === nobody ? undefined : state.leader;
}

/** Notes something for the outside to see. */
export function tell(state: RaftState, event: CoreEvent): void {
  state.outbox.events.push(event);
}
