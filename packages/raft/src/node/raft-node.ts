import { assert, HoldfastError, isHoldfastError } from "@holdfast/base";
import type { RaftService } from "@holdfast/proto/raft/v1/raft";
import type { ServiceHandlers } from "@holdfast/rpc";
import type { Timer } from "@holdfast/runtime";
import type { MembershipWish, ProposeOutcome, RaftEvent, RaftNode, RaftStanding, RaftStatus } from "../api.ts";
import type { ConfigurationChange, SnapshotMeta } from "../core/entries.ts";
import type { Input, ReadMode } from "../core/input.ts";
import type { Message } from "../core/messages.ts";
import type { CoreEvent, FetchOrder, Output, PersistOrder, Reply } from "../core/output.ts";
import type { RaftCore } from "../core/raft-core.ts";
import type { LogIndex, PeerId } from "../core/types.ts";
import { logCoreEvent, noteEvent } from "./core-events.ts";
import { DirectoryGuard, directoryCheckMs } from "./directory-guard.ts";
import { HandOvers, handOverTarget } from "./hand-over.ts";
import { indexOfChange, mustBeTransferred, notLeaderWhen, refusedByFollower } from "./leader-calls.ts";
import { readLinearizably } from "./linearizable-read.ts";
import { promisesKeptMs } from "./membership/promise-keeper.ts";
import { changeOfWishes } from "./membership/wishes.ts";
import { Orders } from "./orders.ts";
import { OwnWord } from "./own-word.ts";
import { Proposals } from "./proposals.ts";
import type { ReceivedSnapshot } from "./snapshot/snapshot-receiver.ts";
import { describeShell } from "./status.ts";
import { PeerListener } from "./peer-listener.ts";
import type { RaftNodeParts } from "./raft-node-parts.ts";
import { ShellTicker } from "./shell-ticker.ts";
import { createOrgans, type ShellOrgans } from "./shell-organs.ts";

/**
 * The shell around the core. One turn: all queued inputs are stepped, the core is drained once, and what it wants is
 * begun: persisting (with everything else that waits, under one fsync), sending, applying, answering. Nothing of that
 * blocks the next turn; what finishes comes back as an input.
 */
export class RaftShell implements RaftNode {
  readonly #parts: RaftNodeParts;
  readonly #organs: ShellOrgans;
  readonly #proposals = new Proposals();
  readonly #orders = new Orders();
  readonly #handOvers: HandOvers;
  readonly #guard: DirectoryGuard;
  readonly addressOf = (peer: PeerId): string | undefined => this.#organs.desk.addressOf(peer);
  readonly #listeners = new Set<(event: RaftEvent) => void>();
  readonly #timers: Timer[] = [];
  /** What this node says of itself. */
  readonly word: OwnWord;
  #core: RaftCore;
  #inputs: Input[] = [];
  #nextRef = 1;
  #isTurnScheduled = false;
  #state: "opened" | "running" | "failed" | "stopped" = "opened";
  #stopping: Promise<void> | undefined;

  constructor(parts: RaftNodeParts) {
    this.#parts = parts;
    const { clock, timers, logger, random } = parts.ports;
    this.word = new OwnWord({
      ...{ incarnation: parts.incarnation, random, view: () => this.#core.view() },
      standing: () => this.#organs.standing.standing,
      round: () => this.#organs.standing.round,
    });
    this.#guard = new DirectoryGuard({
      ...{ isThere: parts.isDirectoryThere, orderRenewal: parts.orderRenewal, logger },
      onLost: (sentence, error) => this.#fail(sentence, error),
    });
    this.#handOvers = new HandOvers({
      ...{ proposals: this.#proposals, orders: this.#orders, clock, timers },
      nextRef: () => this.#nextRef++,
      enqueue: (input) => this.#enqueue(input),
      onOver: () => this.#scheduleTurn(),
    });
    // A state without its log is nobody's: it counts as empty until a snapshot takes its place.
    const appliedIndex = parts.standing === "member" ? parts.stateMachine.appliedIndex() : (0 as LogIndex);
    this.#core = parts.createCore(parts.store.boot, appliedIndex);
    this.#organs = createOrgans(parts, {
      appliedIndex,
      core: () => this.#core,
      isTakingPart: () => this.#isTakingPart,
      enqueue: (input) => this.#enqueue(input),
      send: (message) => this.#send(message),
      order: (change) => this.#order(change),
      begin: (start) => this.#begin(start),
      ask: () => parts.transport.hello(),
      onStandingChanged: (standing) => this.#onStandingChanged(standing),
      onApplied: (index) => this.#onApplied(index),
      onInstalled: (snapshot) => this.#onInstalled(snapshot),
      emit: (event) => this.#emit(event),
      fail: (sentence, error) => this.#fail(sentence, error),
    });
  }

  get services(): RaftNode["services"] {
    return this.#parts.transport.services;
  }

  /** Who takes the snapshots that leaders send. */
  get snapshotHandlers(): Pick<ServiceHandlers<typeof RaftService>, "offerSnapshot" | "installSnapshot"> {
    return this.#organs.receiver;
  }

  start(): void {
    if (this.#state !== "opened") return;
    this.#state = "running";
    const { ports, settings, transport } = this.#parts;
    this.#refreshPeers();
    const { desk, standing, keeper, promises, compactor } = this.#organs;
    transport.start(
      new PeerListener({
        ...{ desk, standing, keeper, compactor, clock: ports.clock, logger: ports.logger },
        isRunning: () => this.#state === "running",
        enqueue: (input) => this.#enqueue(input),
        onRolledBack: (peer) => this.#guard.renew(peer),
      }),
    );
    const ticker = new ShellTicker({
      ...{ parts: this.#parts, organs: this.#organs, status: () => this.#describe() },
      view: () => this.#core.view(),
      openProposals: () => this.#proposals.openCount,
      enqueue: (input) => this.#enqueue(input),
      emit: (event) => this.#emit(event),
    });
    this.#timers.push(ports.timers.every(settings.tickMs, () => ticker.tick()));
    this.#timers.push(ports.timers.every(settings.compactionCheckMs, () => ticker.tidy()));
    this.#timers.push(ports.timers.every(directoryCheckMs, () => this.#guard.look()));
    this.#timers.push(ports.timers.every(promisesKeptMs, () => this.#watch(promises.flush(), writeFailed)));
    this.#organs.standing.decideWhenClear();
    this.#scheduleTurn();
  }

  propose(data: Uint8Array): Promise<ProposeOutcome> {
    assert(data.length <= this.#parts.settings.entryBytesMax, "a proposal is within entryBytesMax");
    if (this.#state !== "running") return Promise.resolve({ kind: "notLeader", leader: undefined });
    this.#scheduleTurn();
    return this.#proposals.add(this.#nextRef++, data);
  }

  readIndex(signal?: AbortSignal, mode: ReadMode = "round"): Promise<LogIndex> {
    if (this.#state !== "running") return Promise.reject(notLeaderWhen(this.#state));
    this.#scheduleTurn();
    const { settings, ports } = this.#parts;
    const { reads, waiters } = this.#organs;
    const path = { ...{ reads, waiters, mode }, timers: ports.timers, timeoutMs: settings.readTimeoutMs };
    return readLinearizably(path, signal);
  }

  waitApplied(index: LogIndex, signal?: AbortSignal): Promise<void> {
    return this.#organs.waiters.wait(index, signal);
  }

  async changeMembership(wishes: readonly MembershipWish[]): Promise<LogIndex> {
    if (this.#state !== "running") throw notLeaderWhen(this.#state);
    const { role, membership, leader } = this.#core.view();
    if (role !== "leader") throw refusedByFollower(leader, this.addressOf);
    const reply = await this.#order(changeOfWishes(wishes, { membership, book: this.#organs.desk.book }));
    const index = indexOfChange(reply, this.addressOf);
    await this.#organs.waiters.wait(index);
    return index;
  }

  async transferLeadership(to?: PeerId): Promise<void> {
    if (this.#state !== "running") throw notLeaderWhen(this.#state);
    const view = this.#core.view();
    if (view.role !== "leader") throw refusedByFollower(view.leader, this.addressOf);
    const target = to ?? handOverTarget(view);
    if (target === undefined)
      throw new HoldfastError("precondition", "there is no other live member with a vote; this one goes on leading");
    mustBeTransferred(await this.#handOvers.transfer(target), target, this.addressOf);
  }

  status(): RaftStatus {
    const status = this.#describe();
    if (this.#isTakingPart) return status;
    return { ...status, role: "follower", leader: undefined, isReadyLeader: false, peers: [] };
  }

  subscribe(listener: (event: RaftEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Highest index that every member is known to have; rides on every frame. */
  get everyoneHasIndex(): LogIndex {
    return this.#organs.compactor.everyoneHasIndex;
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
    await this.#organs.sender.stop();
    await this.#parts.transport.stop();
    await this.#organs.receiver.stop();
    await this.#organs.installer.stop();
    await this.#organs.writer.settled();
    await this.#organs.applier.stop();
    await this.#organs.compactor.stop();
    try {
      if (!wasFailed) await this.#organs.promises.flush();
      await this.#parts.store.close();
    } catch (error) {
      if (!wasFailed || !isHoldfastError(error)) throw error;
    }
  }

  /** A planned stop need not cost an election: another member leads first, and what was proposed here gets its outcome. */
  async #handOver(): Promise<void> {
    const to = handOverTarget(this.#core.view());
    if (this.#state !== "running" || to === undefined) return;
    const { electionTicksMin, tickMs } = this.#parts.settings;
    await this.#handOvers.finish({ to, timeoutMs: handOverElections * electionTicksMin * tickMs, stepMs: tickMs });
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
    const proposals = this.#handOvers.isOpen ? [] : this.#proposals.takeFresh();
    if (proposals.length > 0) this.#core.step({ kind: "propose", proposals });
    for (const read of this.#organs.reads.takeFresh(() => this.#nextRef++)) this.#core.step(read);
    this.#carryOut(this.#core.drain());
    if (this.#organs.reads.hasFresh) this.#scheduleTurn();
  }

  #carryOut(output: Output): void {
    if (this.#organs.installer.isWaiting)
      this.#watch(this.#organs.installer.decided(output.persist?.snapshot), "a refused snapshot could not be removed");
    if (output.persist !== undefined) this.#persist(output.persist, output.send);
    this.#organs.leases.sending(output.send);
    for (const message of output.send) this.#send(message);
    for (const { token, message } of output.sendAfter) this.#organs.sendAfter.add(token, message);
    if (output.apply.length > 0) {
      this.#organs.desk.watch(output.apply);
      this.#organs.applier.push(output.apply);
    }
    for (const order of output.fetch) this.#fetch(order);
    if (output.compact !== undefined) this.#compact(output.compact);
    for (const reply of output.replies) this.#answer(reply);
    for (const event of output.events) this.#onCoreEvent(event);
  }

  #persist(order: PersistOrder, sent: readonly Message[]): void {
    this.#organs.writer.write(order, sent).then(
      () => {
        this.#organs.sendAfter.release(order.token);
        this.#enqueue({ kind: "persisted", token: order.token });
      },
      (error: unknown) => {
        if (this.#state !== "running") return;
        // Stepped at once, so that nothing more is promised from here on.
        this.#core.step({ kind: "persistFailed", token: order.token });
        this.#fail(writeFailed, error);
      },
    );
  }

  #onInstalled({ meta, from }: ReceivedSnapshot): void {
    this.#organs.desk.restart(meta);
    this.#organs.waiters.advance(meta.index);
    this.#proposals.advance(meta.index);
    this.#refreshPeers();
    this.#organs.standing.joined();
    this.#emit({ kind: "snapshotInstalled", index: meta.index, from });
  }

  #compact(start: SnapshotMeta): void {
    const compacted = this.#parts.store.compact(this.#organs.desk.compact(start));
    const told = compacted.then(() => this.#emit({ kind: "compacted", index: start.index }));
    this.#watch(told, "the log could not be shortened");
  }

  #fetch(order: FetchOrder): void {
    const fetched = this.#parts.store
      .read(order)
      .then((entries) => this.#enqueue({ kind: "fetched", ref: order.ref, entries }));
    this.#watch(fetched, "the log could not be read");
  }

  #send(message: Message): void {
    if (message.kind === "snapshotRequest") this.#organs.sender.send(message.to);
    else this.#parts.transport.send(message);
  }

  #answer(reply: Reply): void {
    const isOurs =
      this.#proposals.answer(reply, this.#organs.waiters.appliedIndex) ||
      this.#organs.reads.answer(reply) ||
      this.#orders.answer(reply);
    assert(isOurs, "the core answers what it was asked, once");
  }

  #onApplied(index: LogIndex): void {
    if (this.#organs.desk.applied(index)) this.#refreshPeers();
    this.#organs.waiters.advance(index);
    this.#proposals.advance(index);
    this.#enqueue({ kind: "applied", index });
  }

  async #begin(start: SnapshotMeta): Promise<void> {
    const { store, createCore, founding } = this.#parts;
    const promises = this.#organs.desk.takeChangedPromises();
    await store.append({ snapshot: start, append: [], mustSync: true, ...(promises && { promises }) });
    if (start !== founding) this.#core = createCore({ ...store.boot, logStart: start }, 0 as LogIndex);
  }

  #onStandingChanged(standing: RaftStanding): void {
    this.#parts.transport.hello();
    this.#emit({ kind: "standingChanged", standing });
  }

  #onCoreEvent(event: CoreEvent): void {
    const { ports, settings } = this.#parts;
    if (event.kind === "logRepaired") this.#organs.desk.rederive(event.configurations);
    if (event.kind === "configurationChanged") {
      const { voters, learners } = this.#core.view().membership;
      this.#refreshPeers();
      this.#emit({ kind: "membershipChanged", index: event.index, voters, learners });
      return;
    }
    if (event.kind === "roleChanged" && event.role !== "leader") this.#organs.sender.end();
    const told = logCoreEvent(event, ports.logger, settings.tickMs);
    if (told !== undefined) this.#emit(told);
  }

  #refreshPeers(): void {
    this.#parts.transport.setPeers(this.#organs.desk.peers(this.#core.view().membership));
  }

  #describe(): RaftStatus {
    return describeShell(this.#parts, this.#organs, this.#core.view());
  }

  #emit(event: RaftEvent): void {
    noteEvent(event, this.#parts);
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
    this.#organs.sender.end();
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
    this.#organs.reads.end(ending);
    this.#organs.waiters.end(ending);
  }
}

/** How many shortest election timeouts a stopping leader gives the hand-over. */
const handOverElections = 2;

const writeFailed = "the log could not be written";
