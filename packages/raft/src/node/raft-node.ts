import { assert, HoldfastError, isHoldfastError } from "@holdfast/base";
import type { RaftService } from "@holdfast/proto/raft/v1/raft";
import type { ServiceHandlers } from "@holdfast/rpc";
import type { Timer } from "@holdfast/runtime";
import type { MembershipWish, ProposeOutcome, RaftEvent, RaftNode, RaftStanding, RaftStatus } from "../api.ts";
import type { ReadMode } from "../core/input.ts";
import type { CoreEvent } from "../core/output.ts";
import type { LogIndex, PeerId } from "../core/types.ts";
import { logCoreEvent, noteEvent } from "./core-events.ts";
import { CoreLoop, writeFailed } from "./core-loop.ts";
import { DirectoryGuard, directoryCheckMs } from "./directory-guard.ts";
import { handOverTarget } from "./hand-over.ts";
import { indexOfChange, mustBeTransferred, notLeaderWhen, refusedByFollower } from "./leader-calls.ts";
import { readLinearizably } from "./linearizable-read.ts";
import { promisesKeptMs } from "./membership/promise-keeper.ts";
import { changeOfWishes } from "./membership/wishes.ts";
import { OwnWord } from "./own-word.ts";
import type { ReceivedSnapshot } from "./snapshot/snapshot-receiver.ts";
import { describeShell } from "./status.ts";
import { PeerListener } from "./peer-listener.ts";
import type { RaftNodeParts } from "./raft-node-parts.ts";
import { ShellTicker } from "./shell-ticker.ts";
import { createOrgans, type ShellOrgans } from "./shell-organs.ts";

/** The shell around the core: what callers ask of a node, its life from start to end, and what its parts tell each other. */
export class RaftShell implements RaftNode {
  readonly #parts: RaftNodeParts;
  readonly #organs: ShellOrgans;
  readonly #loop: CoreLoop;
  readonly #guard: DirectoryGuard;
  readonly addressOf = (peer: PeerId): string | undefined => this.#organs.desk.addressOf(peer);
  readonly #listeners = new Set<(event: RaftEvent) => void>();
  readonly #timers: Timer[] = [];
  /** What this node says of itself. */
  readonly word: OwnWord;
  #state: "opened" | "running" | "failed" | "stopped" = "opened";
  #stopping: Promise<void> | undefined;

  constructor(parts: RaftNodeParts) {
    this.#parts = parts;
    const { logger, random } = parts.ports;
    this.word = new OwnWord({
      ...{ incarnation: parts.incarnation, random, view: () => this.#loop.view() },
      standing: () => this.#organs.standing.standing,
      round: () => this.#organs.standing.round,
    });
    this.#guard = new DirectoryGuard({
      ...{ isThere: parts.isDirectoryThere, orderRenewal: parts.orderRenewal, logger },
      onLost: (sentence, error) => this.#fail(sentence, error),
    });
    // A state without its log is nobody's: it counts as empty until a snapshot takes its place.
    const appliedIndex = parts.standing === "member" ? parts.stateMachine.appliedIndex() : (0 as LogIndex);
    const loop = new CoreLoop({
      ...{ parts, appliedIndex, organs: () => this.#organs, isRunning: () => this.#state === "running" },
      onCoreEvent: (event) => this.#onCoreEvent(event),
      onCompacted: (index) => this.#emit({ kind: "compacted", index }),
      fail: (sentence, error) => this.#fail(sentence, error),
    });
    this.#loop = loop;
    this.#organs = createOrgans(parts, {
      appliedIndex,
      core: () => loop.core,
      isTakingPart: () => this.#isTakingPart,
      enqueue: (input) => loop.enqueue(input),
      send: (message) => loop.send(message),
      order: (change) => loop.order(change),
      begin: (start) => loop.begin(start),
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
        enqueue: (input) => this.#loop.enqueue(input),
        onRolledBack: (peer) => void this.#guard.renew(rolledBack(peer)),
      }),
    );
    const ticker = new ShellTicker({
      ...{ parts: this.#parts, organs: this.#organs, status: () => this.#describe() },
      view: () => this.#loop.view(),
      openProposals: () => this.#loop.proposals.openCount,
      enqueue: (input) => this.#loop.enqueue(input),
      emit: (event) => this.#emit(event),
    });
    this.#timers.push(ports.timers.every(settings.tickMs, () => ticker.tick()));
    this.#timers.push(ports.timers.every(settings.compactionCheckMs, () => ticker.tidy()));
    this.#timers.push(ports.timers.every(directoryCheckMs, () => this.#guard.look()));
    this.#timers.push(ports.timers.every(promisesKeptMs, () => this.#watch(promises.flush(), writeFailed)));
    this.#organs.standing.decideWhenClear();
    this.#loop.scheduleTurn();
  }

  propose(data: Uint8Array): Promise<ProposeOutcome> {
    assert(data.length <= this.#parts.settings.entryBytesMax, "a proposal is within entryBytesMax");
    if (this.#state !== "running") return Promise.resolve({ kind: "notLeader", leader: undefined });
    this.#loop.scheduleTurn();
    return this.#loop.proposals.add(this.#loop.nextRef(), data);
  }

  readIndex(signal?: AbortSignal, mode: ReadMode = "round"): Promise<LogIndex> {
    if (this.#state !== "running") return Promise.reject(notLeaderWhen(this.#state));
    this.#loop.scheduleTurn();
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
    const { role, membership, leader } = this.#loop.view();
    if (role !== "leader") throw refusedByFollower(leader, this.addressOf);
    const reply = await this.#loop.order(changeOfWishes(wishes, { membership, book: this.#organs.desk.book }));
    const index = indexOfChange(reply, this.addressOf);
    await this.#organs.waiters.wait(index);
    return index;
  }

  async transferLeadership(to?: PeerId): Promise<void> {
    if (this.#state !== "running") throw notLeaderWhen(this.#state);
    const view = this.#loop.view();
    if (view.role !== "leader") throw refusedByFollower(view.leader, this.addressOf);
    const target = to ?? handOverTarget(view);
    if (target === undefined)
      throw new HoldfastError("precondition", "there is no other live member with a vote; this one goes on leading");
    mustBeTransferred(await this.#loop.handOvers.transfer(target), target, this.addressOf);
  }

  setAside(reason: string): Promise<void> {
    return this.#state === "running" ? this.#guard.renew(reason) : Promise.resolve();
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
    const to = handOverTarget(this.#loop.view());
    if (this.#state !== "running" || to === undefined) return;
    const { electionTicksMin, tickMs } = this.#parts.settings;
    await this.#loop.handOvers.finish({ to, timeoutMs: handOverElections * electionTicksMin * tickMs, stepMs: tickMs });
  }

  #onInstalled({ meta, from }: ReceivedSnapshot): void {
    this.#organs.desk.restart(meta);
    this.#organs.waiters.advance(meta.index);
    this.#loop.proposals.advance(meta.index);
    this.#refreshPeers();
    this.#organs.standing.joined();
    this.#emit({ kind: "snapshotInstalled", index: meta.index, from });
  }

  #onApplied(index: LogIndex): void {
    if (this.#organs.desk.applied(index)) this.#refreshPeers();
    this.#organs.waiters.advance(index);
    this.#loop.proposals.advance(index);
    this.#loop.enqueue({ kind: "applied", index });
  }

  #onStandingChanged(standing: RaftStanding): void {
    this.#parts.transport.hello();
    this.#emit({ kind: "standingChanged", standing });
  }

  #onCoreEvent(event: CoreEvent): void {
    const { ports, settings } = this.#parts;
    if (event.kind === "logRepaired") this.#organs.desk.rederive(event.configurations);
    if (event.kind === "configurationChanged") {
      const { voters, learners } = this.#loop.view().membership;
      this.#refreshPeers();
      this.#emit({ kind: "membershipChanged", index: event.index, voters, learners });
      return;
    }
    if (event.kind === "roleChanged" && event.role !== "leader") this.#organs.sender.end();
    const told = logCoreEvent(event, ports.logger, settings.tickMs);
    if (told !== undefined) this.#emit(told);
  }

  #refreshPeers(): void {
    this.#parts.transport.setPeers(this.#organs.desk.peers(this.#loop.view().membership));
  }

  #describe(): RaftStatus {
    return describeShell(this.#parts, this.#organs, this.#loop.view());
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
    const { term } = this.#loop.view();
    this.#emit({ kind: "roleChanged", role: "follower", term });
    this.#emit({ kind: "leaderChanged", leader: undefined, term });
    this.#emit({ kind: "diskFailed", message });
    this.#watch(this.#parts.transport.stop(), "the peers' streams could not be ended");
  }

  #answerAll(): void {
    const ending = new HoldfastError("unavailable", "this master is stopping or has failed; ask another one");
    this.#loop.end();
    this.#organs.reads.end(ending);
    this.#organs.waiters.end(ending);
  }
}

function rolledBack(peer: PeerId): string {
  return `member ${peer} remembers votes or entries of this directory that it does not hold (an old copy?)`;
}

/** How many shortest election timeouts a stopping leader gives the hand-over. */
const handOverElections = 2;
