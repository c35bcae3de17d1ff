import { assert, HoldfastError, isHoldfastError } from "@holdfast/base";
import type { RaftService } from "@holdfast/proto/raft/v1/raft";
import type { ServiceHandlers } from "@holdfast/rpc";
import type { Timer } from "@holdfast/runtime";
import type {
  MembershipWish,
  ProposeOutcome,
  RaftConfig,
  RaftEvent,
  RaftNode,
  RaftPorts,
  RaftStanding,
  RaftStatus,
  StateMachine,
} from "../api.ts";
import type { ConfigurationChange, SnapshotMeta } from "../core/entries.ts";
import { emptyMembership } from "../core/entries.ts";
import type { Input } from "../core/input.ts";
import type { Message } from "../core/messages.ts";
import type { CoreEvent, FetchOrder, Output, PersistOrder, Reply } from "../core/output.ts";
import type { RaftCore } from "../core/raft-core.ts";
import type { LogIndex, PeerId, Term } from "../core/types.ts";
import type { LogBoot, LogStore } from "../log-store/log-store.ts";
import type { PeerAnswer, PeerHello, Standing, Transport } from "../transport/transport.ts";
import { Applier } from "./applier.ts";
import { AppliedWaiters } from "./applied-waiters.ts";
import { Compactor } from "./compactor.ts";
import { logCoreEvent } from "./core-events.ts";
import type { NodeMetrics } from "./node-metrics.ts";
import { handOverTarget } from "./hand-over.ts";
import { indexOfChange, mustBeTransferred, refusedByFollower } from "./leader-calls.ts";
import { readLinearizably } from "./linearizable-read.ts";
import { LogWriter } from "./log-writer.ts";
import { MemberDesk } from "./membership/member-desk.ts";
import { MembershipKeeper } from "./membership/membership-keeper.ts";
import { StandingKeeper } from "./membership/standing-keeper.ts";
import { changeOfWishes } from "./membership/wishes.ts";
import { Orders } from "./orders.ts";
import { Proposals } from "./proposals.ts";
import { Reads } from "./reads.ts";
import { SendAfter } from "./send-after.ts";
import type { RaftSettings } from "./settings.ts";
import { SnapshotInstaller } from "./snapshot/snapshot-installer.ts";
import { SnapshotReceiver, type ReceivedSnapshot } from "./snapshot/snapshot-receiver.ts";
import { SnapshotSender } from "./snapshot/snapshot-sender.ts";
import { StallWatch } from "./stall-watch.ts";
import { toStatus } from "./status.ts";

/** What a node is made of; see `openRaftNode`. */
export interface RaftNodeParts {
  readonly config: RaftConfig;
  readonly settings: RaftSettings;
  readonly ports: RaftPorts;
  readonly createCore: (boot: LogBoot, appliedIndex: LogIndex) => RaftCore;
  readonly store: LogStore;
  readonly transport: Transport;
  readonly stateMachine: StateMachine;
  readonly metrics: NodeMetrics;
  /** Of the log's directory, 32 hex digits. */
  readonly incarnation: string;
  /** Where the node begins. */
  readonly standing: RaftStanding;
  /** What a founding member begins with. */
  readonly founding: SnapshotMeta;
  /** Whether the log's directory is still where it was. */
  readonly isDirectoryThere: () => Promise<boolean>;
  /** The next start is to set this directory aside and join anew. */
  readonly orderRenewal: () => Promise<void>;
}

/** What a node that joins begins with: it takes nothing but a snapshot. */
export const joiningStart: SnapshotMeta = { index: 0 as LogIndex, term: 0 as Term, membership: emptyMembership };

/**
 * The shell around the core. One turn: all queued inputs are stepped, the core is drained once, and what it wants is
 * begun: persisting (with everything else that waits, under one fsync), sending, applying, answering. Nothing of that
 * blocks the next turn; what finishes comes back as an input.
 */
export class RaftShell implements RaftNode {
  readonly #parts: RaftNodeParts;
  readonly #applier: Applier;
  readonly #waiters: AppliedWaiters;
  readonly #proposals = new Proposals();
  readonly #orders = new Orders();
  readonly #reads: Reads;
  readonly #sendAfter: SendAfter;
  readonly #compactor: Compactor;
  readonly #stallWatch: StallWatch;
  readonly #desk: MemberDesk;
  readonly #keeper: MembershipKeeper;
  readonly #standing: StandingKeeper;
  readonly #writer: LogWriter;
  readonly #addressOf = (peer: PeerId): string | undefined => this.#desk.addressOf(peer);
  readonly #sender: SnapshotSender;
  readonly #receiver: SnapshotReceiver;
  readonly #installer: SnapshotInstaller;
  readonly #listeners = new Set<(event: RaftEvent) => void>();
  readonly #timers: Timer[] = [];
  #core: RaftCore;
  #inputs: Input[] = [];
  #nextRef = 1;
  #isTurnScheduled = false;
  #state: "opened" | "running" | "failed" | "stopped" = "opened";
  /** Transfers under way; proposals wait until they are over. */
  #handOvers = 0;
  #stopping: Promise<void> | undefined;

  constructor(parts: RaftNodeParts) {
    this.#parts = parts;
    const { config, settings, stateMachine, ports } = parts;
    // A state without its log is nobody's: it counts as empty until a snapshot takes its place.
    const appliedIndex = parts.standing === "member" ? stateMachine.appliedIndex() : (0 as LogIndex);
    this.#core = parts.createCore(parts.store.boot, appliedIndex);
    const others = config.peers.filter(({ id }) => id !== config.id);
    const self = config.peers.find(({ id }) => id === config.id) ?? { id: config.id, address: "" };
    this.#desk = new MemberDesk({ self, configured: config.peers, boot: parts.store.boot, appliedIndex });
    this.#standing = new StandingKeeper({
      ...{ standing: parts.standing, others: others.map(({ id }) => id), logger: ports.logger },
      ...{ founding: parts.founding, joining: joiningStart, hasSnapshots: stateMachine.snapshots !== undefined },
      begin: (start) => this.#begin(start),
      onChanged: (standing) => this.#onStandingChanged(standing),
      onFailed: (sentence, error) => this.#fail(sentence, error),
    });
    this.#keeper = new MembershipKeeper({
      electionMs: settings.electionTicksMin * settings.tickMs,
      book: () => this.#desk.book,
      addressOf: (peer) => this.addressOf(peer) ?? "",
      order: async (change) => void (await this.#order(change)),
    });
    this.#waiters = new AppliedWaiters(appliedIndex);
    this.#reads = new Reads((peer) => this.addressOf(peer));
    this.#sendAfter = new SendAfter((message) => this.#send(message));
    const { tickMs, loopStallMs } = settings;
    this.#stallWatch = new StallWatch({ tickMs, stallMs: loopStallMs }, ports.clock.monotonicMs());
    this.#applier = new Applier({
      stateMachine,
      batchEntriesMax: settings.applyBatchEntriesMax,
      batchBytesMax: settings.applyBatchBytesMax,
      onApplied: (index) => this.#onApplied(index),
      onFailed: (error) => this.#fail("the state machine could not apply an entry", error),
    });
    this.#sender = this.#createSender();
    this.#receiver = new SnapshotReceiver({
      ...{ stateMachine, timers: ports.timers, logger: ports.logger, clusterId: config.clusterId, self: config.id },
      keptMs: settings.snapshotKeptMs,
      position: () => (this.#isTakingPart ? this.#core.view() : undefined),
      onWhole: (snapshot) => this.#installer.offer(snapshot),
    });
    this.#installer = new SnapshotInstaller({
      announce: ({ from, term, meta }) => {
        const message = { kind: "snapshotRequest", from, to: config.id, term, snapshot: meta } as const;
        this.#enqueue({ kind: "receive", message });
      },
      quiesce: () => this.#applier.quiesce(),
      intend: (meta) => parts.store.intend(meta),
      commitIndex: () => this.#core.view().commitIndex,
    });
    this.#writer = new LogWriter({
      ...{ store: parts.store, installer: this.#installer },
      onInstalled: (snapshot) => this.#onInstalled(snapshot),
    });
    this.#compactor = new Compactor({
      stateMachine,
      retainedEntriesMin: settings.retainedEntriesMin,
      laggingEntriesMax: Math.max(settings.laggingEntriesMax, settings.retainedEntriesMin),
      sendingIndex: () => this.#sender.lowestIndex,
      view: () => this.#core.view(),
      compact: (throughIndex) => this.#enqueue({ kind: "compact", throughIndex }),
      onFailed: (error) => this.#fail("the state machine could not be made durable", error),
    });
  }

  #createSender(): SnapshotSender {
    const { config, settings, stateMachine, ports, incarnation } = this.#parts;
    return new SnapshotSender({
      ...{ ...ports, stateMachine, clusterId: config.clusterId, self: config.id },
      incarnation: () => incarnation,
      addressOf: (peer) => this.addressOf(peer),
      whenApplied: (index) => this.#waiters.wait(index),
      metaAt: (index) => this.#metaAt(index),
      position: () => this.#core.view(),
      retryMs: settings.snapshotRetryMs,
      stallMs: settings.snapshotStallMs,
      keptMs: settings.snapshotKeptMs,
      onEnded: (peer, isOk) => this.#enqueue({ kind: "snapshotSent", peer, isOk }),
      onEvent: (event) => this.#emit(event),
    });
  }

  get services(): RaftNode["services"] {
    return this.#parts.transport.services;
  }

  /** Who takes the snapshots that leaders send. */
  get snapshotHandlers(): Pick<ServiceHandlers<typeof RaftService>, "offerSnapshot" | "installSnapshot"> {
    return this.#receiver;
  }

  start(): void {
    if (this.#state !== "opened") return;
    this.#state = "running";
    const { ports, settings, transport } = this.#parts;
    this.#refreshPeers();
    transport.start({
      onMessage: (message, incarnation) => this.#onMessage(message, incarnation),
      onUnreachable: (peer) => this.#enqueue({ kind: "unreachable", peer }),
      onEveryoneHas: (index) => this.#compactor.learn(index),
      onHello: (peer, hello) => this.#onHello(peer, hello),
      standingOf: (peer, incarnation) => this.#standingOf(peer, incarnation),
      onAnswer: (peer, answer) => this.#onAnswer(peer, answer),
    });
    this.#timers.push(ports.timers.every(settings.tickMs, () => this.#tick()));
    this.#timers.push(ports.timers.every(settings.compactionCheckMs, () => this.#tidy()));
    this.#timers.push(ports.timers.every(directoryCheckMs, () => this.#checkDirectory()));
    this.#standing.decideWhenClear();
    this.#scheduleTurn();
  }

  propose(data: Uint8Array): Promise<ProposeOutcome> {
    assert(data.length <= this.#parts.settings.entryBytesMax, "a proposal is within entryBytesMax");
    if (this.#state !== "running") return Promise.resolve({ kind: "notLeader", leader: undefined });
    this.#scheduleTurn();
    return this.#proposals.add(this.#nextRef++, data);
  }

  readIndex(signal?: AbortSignal): Promise<LogIndex> {
    if (this.#state !== "running") return Promise.reject(notLeaderWhen(this.#state));
    this.#scheduleTurn();
    const { settings, ports } = this.#parts;
    const path = {
      reads: this.#reads,
      waiters: this.#waiters,
      timers: ports.timers,
      timeoutMs: settings.readTimeoutMs,
    };
    return readLinearizably(path, signal);
  }

  waitApplied(index: LogIndex, signal?: AbortSignal): Promise<void> {
    return this.#waiters.wait(index, signal);
  }

  async changeMembership(wishes: readonly MembershipWish[]): Promise<LogIndex> {
    if (this.#state !== "running") throw notLeaderWhen(this.#state);
    const { role, membership, leader } = this.#core.view();
    if (role !== "leader") throw refusedByFollower(leader, this.#addressOf);
    const reply = await this.#order(changeOfWishes(wishes, { membership, book: this.#desk.book }));
    const index = indexOfChange(reply, this.#addressOf);
    await this.#waiters.wait(index);
    return index;
  }

  async transferLeadership(to?: PeerId): Promise<void> {
    if (this.#state !== "running") throw notLeaderWhen(this.#state);
    const view = this.#core.view();
    if (view.role !== "leader") throw refusedByFollower(view.leader, this.#addressOf);
    const target = to ?? handOverTarget(view);
    if (target === undefined)
      throw new HoldfastError("precondition", "there is no other live member with a vote; this one goes on leading");
    mustBeTransferred(await this.#transfer(target), target, this.#addressOf);
  }

  status(): RaftStatus {
    const status = this.#describe();
    return this.#isTakingPart
      ? status
      : { ...status, role: "follower", leader: undefined, isReadyLeader: false, peers: [] };
  }

  subscribe(listener: (event: RaftEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  addressOf(peer: PeerId): string | undefined {
    return this.#addressOf(peer);
  }

  /** Highest index that every member is known to have; rides on every frame. */
  get everyoneHasIndex(): LogIndex {
    return this.#compactor.everyoneHasIndex;
  }

  /** What this node says of its directory; never less than it promised. */
  get ownHello(): PeerHello {
    const { term, vote, lastIndex } = this.#core.view();
    const { incarnation } = this.#parts;
    const isUndecided = this.#standing.standing === "undecided";
    return { incarnation, durableTerm: term, durableVote: vote, durableIndex: lastIndex, isUndecided };
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  get #isTakingPart(): boolean {
    return this.#state === "running" || this.#state === "opened";
  }

  async #stop(): Promise<void> {
    await this.#handOver();
    const wasFailed = this.#state === "failed";
    this.#state = "stopped";
    for (const timer of this.#timers) timer.cancel();
    this.#answerAll();
    await this.#sender.stop();
    await this.#parts.transport.stop();
    await this.#receiver.stop();
    await this.#installer.stop();
    await this.#writer.settled();
    await this.#applier.stop();
    await this.#compactor.stop();
    try {
      await this.#parts.store.close();
    } catch (error) {
      if (!wasFailed || !isHoldfastError(error)) throw error;
    }
  }

  /** A planned stop need not cost an election: another member leads first, and what was proposed here gets its outcome. */
  async #handOver(): Promise<void> {
    const target = handOverTarget(this.#core.view());
    if (this.#state !== "running" || target === undefined) return;
    const { ports, settings } = this.#parts;
    const endMs = ports.clock.monotonicMs() + handOverElections * settings.electionTicksMin * settings.tickMs;
    let isOver = false;
    void this.#transfer(target).then(() => (isOver = true));
    const isOpen = (): boolean => !isOver || this.#proposals.openCount > 0;
    while (isOpen() && this.#state === "running" && ports.clock.monotonicMs() < endMs)
      await ports.timers.sleep(settings.tickMs);
  }

  /** What was proposed before comes before; what comes later waits, because during the hand-over the core takes no more. */
  async #transfer(to: PeerId): Promise<Reply> {
    const proposals = this.#handOvers === 0 ? this.#proposals.takeFresh() : [];
    if (proposals.length > 0) this.#enqueue({ kind: "propose", proposals });
    const ref = this.#nextRef++;
    const answer = this.#orders.add(ref);
    this.#handOvers++;
    this.#enqueue({ kind: "transfer", ref, to });
    try {
      return await answer;
    } finally {
      this.#handOvers--;
      this.#scheduleTurn();
    }
  }

  #order(change: ConfigurationChange): Promise<Reply> {
    const ref = this.#nextRef++;
    const answer = this.#orders.add(ref);
    this.#enqueue({ kind: "changeConfiguration", ref, change });
    return answer;
  }

  #enqueue(input: Input): void {
    this.#inputs.push(input);
    this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    if (this.#isTurnScheduled || this.#state !== "running") return;
    this.#isTurnScheduled = true;
    queueMicrotask(() => this.#turn());
  }

  #turn(): void {
    this.#isTurnScheduled = false;
    if (this.#state !== "running") return;
    const inputs = this.#inputs;
    this.#inputs = [];
    for (const input of inputs) this.#core.step(input);
    const proposals = this.#handOvers === 0 ? this.#proposals.takeFresh() : [];
    if (proposals.length > 0) this.#core.step({ kind: "propose", proposals });
    const readRef = this.#nextRef++;
    if (this.#reads.takeFresh(readRef)) this.#core.step({ kind: "read", ref: readRef, mode: "safe" });
    this.#carryOut(this.#core.drain());
  }

  #carryOut(output: Output): void {
    if (this.#installer.isWaiting)
      this.#watch(this.#installer.decided(output.persist?.snapshot), "a refused snapshot could not be removed");
    if (output.persist !== undefined) this.#persist(output.persist);
    for (const message of output.send) this.#send(message);
    for (const { token, message } of output.sendAfter) this.#sendAfter.add(token, message);
    if (output.apply.length > 0) {
      this.#desk.watch(output.apply);
      this.#applier.push(output.apply);
    }
    for (const order of output.fetch) this.#fetch(order);
    if (output.compact !== undefined) this.#compact(output.compact);
    for (const reply of output.replies) this.#answer(reply);
    for (const event of output.events) this.#onCoreEvent(event);
  }

  #persist(order: PersistOrder): void {
    this.#writer.write(order).then(
      () => {
        this.#sendAfter.release(order.token);
        this.#enqueue({ kind: "persisted", token: order.token });
      },
      (error: unknown) => {
        if (this.#state !== "running") return;
        // Stepped at once, so that nothing more is promised from here on.
        this.#core.step({ kind: "persistFailed", token: order.token });
        this.#fail("the log could not be written", error);
      },
    );
  }

  #onInstalled({ meta, from }: ReceivedSnapshot): void {
    this.#desk.restart(meta);
    this.#waiters.advance(meta.index);
    this.#proposals.advance(meta.index);
    this.#refreshPeers();
    this.#parts.ports.logger.info("raft.snapshot_installed", { index: meta.index, term: meta.term, from });
    this.#standing.joined();
    this.#emit({ kind: "snapshotInstalled", index: meta.index, from });
  }

  #compact(start: SnapshotMeta): void {
    const compacted = this.#parts.store.compact(this.#desk.compact(start)).then(() => {
      this.#parts.ports.logger.info("raft.log_compacted", { index: start.index });
      this.#emit({ kind: "compacted", index: start.index });
    });
    this.#watch(compacted, "the log could not be shortened");
  }

  #fetch(order: FetchOrder): void {
    const fetched = this.#parts.store
      .read(order)
      .then((entries) => this.#enqueue({ kind: "fetched", ref: order.ref, entries }));
    this.#watch(fetched, "the log could not be read");
  }

  #send(message: Message): void {
    if (message.kind === "snapshotRequest") this.#sender.send(message.to);
    else this.#parts.transport.send(message);
  }

  #answer(reply: Reply): void {
    const isOurs =
      this.#proposals.answer(reply, this.#waiters.appliedIndex) ||
      this.#reads.answer(reply) ||
      this.#orders.answer(reply);
    assert(isOurs, "the core answers what it was asked, once");
  }

  #onApplied(index: LogIndex): void {
    if (this.#desk.applied(index)) this.#refreshPeers();
    this.#waiters.advance(index);
    this.#proposals.advance(index);
    this.#enqueue({ kind: "applied", index });
  }

  #onMessage(message: Message, incarnation: string): void {
    if (this.#standing.standing === "undecided") return;
    // A snapshot comes on its own stream; the message alone would be a state without its content.
    if (message.kind === "snapshotRequest") return;
    // Who has not been taken in yet has nothing to vote for.
    if (this.#standing.standing === "joining" && message.kind === "voteRequest") return;
    this.#desk.note(message, incarnation);
    this.#enqueue({ kind: "receive", message });
  }

  #onHello(peer: PeerId, hello: PeerHello): void {
    if (!this.#desk.welcome(peer, hello)) return;
    this.#parts.ports.logger.error("raft.member_rolled_back", {
      peer,
      term: hello.durableTerm,
      last: hello.durableIndex,
    });
  }

  #standingOf(peer: PeerId, incarnation: string): Standing {
    if (incarnation !== "") this.#keeper.saw(peer, incarnation, this.#parts.ports.clock.monotonicMs());
    return this.#desk.standingOf(peer, incarnation);
  }

  #onAnswer(peer: PeerId, answer: PeerAnswer): void {
    if (this.#state !== "running") return;
    if (answer.incarnation !== "") this.#keeper.saw(peer, answer.incarnation, this.#parts.ports.clock.monotonicMs());
    if (answer.standing === "rolledBack") this.#renew(peer);
    this.#standing.take(peer, answer);
  }

  /** This directory does not know what it promised: it may speak for this member no more. */
  #renew(peer: PeerId): void {
    const sentence = `member ${peer} remembers votes or entries of this directory that it does not hold (an old copy?)`;
    this.#parts.orderRenewal().then(
      () => this.#fail("the directory is set aside at the next start, and joins anew", new Error(sentence)),
      (error: unknown) => this.#fail(sentence, error),
    );
  }

  async #begin(start: SnapshotMeta): Promise<void> {
    const { store, createCore, founding } = this.#parts;
    await store.append({ snapshot: start, append: [], mustSync: true });
    if (start !== founding) this.#core = createCore({ ...store.boot, logStart: start }, 0 as LogIndex);
  }

  #onStandingChanged(standing: RaftStanding): void {
    this.#parts.transport.hello();
    this.#emit({ kind: "standingChanged", standing });
  }

  #tick(): void {
    const { ports, settings, metrics, transport } = this.#parts;
    const lateMs = this.#stallWatch.tick(ports.clock.monotonicMs());
    if (lateMs !== undefined) {
      metrics.stalled();
      ports.logger.warn("raft.loop_stalled", { lateMs: Math.round(lateMs) });
      this.#emit({ kind: "loopStalled", lateMs });
    }
    if (this.#standing.tick()) transport.hello();
    if (this.#standing.standing === "undecided") return;
    const view = this.#core.view();
    // A leader that did not run for so long counts as one with a stalled disk: all its followers' silence is due now.
    const isZombie = lateMs !== undefined && lateMs > settings.diskSlowMs && view.role === "leader";
    for (let count = isZombie ? 2 * settings.electionTicksMin : 1; count > 0; count--) this.#enqueue({ kind: "tick" });
    this.#compactor.observe(view);
    this.#keeper.saw(view.id, this.#parts.incarnation, ports.clock.monotonicMs());
    this.#keeper.look(view, ports.clock.monotonicMs());
    metrics.show(this.#describe(), this.#proposals.openCount);
  }

  #tidy(): void {
    this.#compactor.check();
    this.#sender.tidy();
  }

  /** Who has a removed file open can write to it for ever and keeps nothing. A disk that cannot be asked says so elsewhere. */
  #checkDirectory(): void {
    this.#parts.isDirectoryThere().then(
      (isThere) => {
        if (!isThere) this.#fail("the log's directory was removed", new Error("start again to join anew"));
      },
      (error: unknown) => this.#parts.ports.logger.warn("raft.directory_unknown", { message: String(error) }),
    );
  }

  #onCoreEvent(event: CoreEvent): void {
    const { ports, settings } = this.#parts;
    if (event.kind === "configurationChanged") {
      const { voters, learners } = this.#core.view().membership;
      ports.logger.info("raft.membership_changed", {
        index: event.index,
        voters: voters.join(),
        learners: learners.join(),
      });
      this.#refreshPeers();
      this.#emit({ kind: "membershipChanged", index: event.index, voters, learners });
      return;
    }
    if (event.kind === "roleChanged" && event.role !== "leader") this.#sender.end();
    const told = logCoreEvent(event, ports.logger, settings.tickMs);
    if (told !== undefined) this.#emit(told);
  }

  #refreshPeers(): void {
    this.#parts.transport.setPeers(this.#desk.peers(this.#core.view().membership));
  }

  #metaAt(index: LogIndex): SnapshotMeta | undefined {
    const term = this.#core.termAt(index);
    const membership = this.#core.membershipAt(index);
    if (term === undefined || membership === undefined || index === 0) return undefined;
    return this.#desk.describe({ index, term, membership });
  }

  #describe(): RaftStatus {
    return {
      ...toStatus(this.#core.view(), this.#waiters.appliedIndex),
      standing: this.#standing.standing,
      incarnation: this.#parts.incarnation,
      transfers: this.#sender.transfers(),
      incoming: this.#receiver.progress,
    };
  }

  #emit(event: RaftEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #watch(promise: Promise<void>, sentence: string): void {
    promise.catch((error: unknown) => this.#fail(sentence, error));
  }

  /** Falls silent for ever: what this node knows can no longer be trusted to be on disk. */
  #fail(sentence: string, error: unknown): void {
    if (this.#state !== "running") return;
    this.#state = "failed";
    for (const timer of this.#timers) timer.cancel();
    const message = `${sentence}: ${error instanceof Error ? error.message : String(error)}`;
    this.#parts.ports.logger.error("raft.node_failed", { message });
    this.#answerAll();
    this.#sender.end();
    const { term } = this.#core.view();
    this.#emit({ kind: "roleChanged", role: "follower", term });
    this.#emit({ kind: "leaderChanged", leader: undefined, term });
    this.#emit({ kind: "diskFailed", message });
    this.#watch(this.#parts.transport.stop(), "the peers' streams could not be ended");
  }

  #answerAll(): void {
    const ending = new HoldfastError("unavailable", "this master is stopping or has failed; ask another one");
    this.#proposals.end();
    this.#orders.end();
    this.#reads.end(ending);
    this.#waiters.end(ending);
  }
}

/** How many shortest election timeouts a stopping leader gives the hand-over. */
const handOverElections = 2;

/** How often a node looks whether its directory is there. */
const directoryCheckMs = 1000;

function notLeaderWhen(state: string): HoldfastError {
  return new HoldfastError("notLeader", `this master does not lead: it is ${state}`);
}
