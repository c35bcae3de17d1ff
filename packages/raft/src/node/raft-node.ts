import { assert, HoldfastError, isHoldfastError } from "@holdfast/base";
import type { Timer } from "@holdfast/runtime";
import type { ProposeOutcome, RaftConfig, RaftEvent, RaftNode, RaftPorts, RaftStatus, StateMachine } from "../api.ts";
import type { Input } from "../core/input.ts";
import type { Message } from "../core/messages.ts";
import type { CoreEvent, FetchOrder, Output, PersistOrder, Reply } from "../core/output.ts";
import type { RaftCore } from "../core/raft-core.ts";
import type { LogIndex, PeerId } from "../core/types.ts";
import type { LogStore } from "../log-store/log-store.ts";
import type { Transport } from "../transport/transport.ts";
import { Applier } from "./applier.ts";
import { AppliedWaiters } from "./applied-waiters.ts";
import { Compactor } from "./compactor.ts";
import { logCoreEvent } from "./core-events.ts";
import type { NodeMetrics } from "./node-metrics.ts";
import { handOverTarget } from "./hand-over.ts";
import { readLinearizably } from "./linearizable-read.ts";
import { Proposals } from "./proposals.ts";
import { Reads } from "./reads.ts";
import { SendAfter } from "./send-after.ts";
import type { RaftSettings } from "./settings.ts";
import { StallWatch } from "./stall-watch.ts";
import { toStatus } from "./status.ts";

/** What a node is made of; see `openRaftNode`. */
export interface RaftNodeParts {
  readonly config: RaftConfig;
  readonly settings: RaftSettings;
  readonly ports: Pick<RaftPorts, "clock" | "timers" | "logger">;
  readonly core: RaftCore;
  readonly store: LogStore;
  readonly transport: Transport;
  readonly stateMachine: StateMachine;
  readonly metrics: NodeMetrics;
}

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
  readonly #reads: Reads;
  readonly #sendAfter: SendAfter;
  readonly #compactor: Compactor;
  readonly #stallWatch: StallWatch;
  readonly #listeners = new Set<(event: RaftEvent) => void>();
  readonly #timers: Timer[] = [];
  #inputs: Input[] = [];
  #nextRef = 1;
  #handOverRef: number | undefined;
  #isTurnScheduled = false;
  #state: "opened" | "running" | "failed" | "stopped" = "opened";
  #stopping: Promise<void> | undefined;

  constructor(parts: RaftNodeParts) {
    this.#parts = parts;
    const { settings, stateMachine } = parts;
    this.#waiters = new AppliedWaiters(stateMachine.appliedIndex());
    this.#reads = new Reads((peer) => this.addressOf(peer));
    this.#sendAfter = new SendAfter((message) => this.#send(message));
    const { tickMs, loopStallMs } = settings;
    this.#stallWatch = new StallWatch({ tickMs, stallMs: loopStallMs }, parts.ports.clock.monotonicMs());
    this.#applier = new Applier({
      stateMachine,
      batchEntriesMax: settings.applyBatchEntriesMax,
      batchBytesMax: settings.applyBatchBytesMax,
      onApplied: (index) => this.#onApplied(index),
      onFailed: (error) => this.#fail("the state machine could not apply an entry", error),
    });
    this.#compactor = new Compactor({
      stateMachine,
      retainedEntriesMin: settings.retainedEntriesMin,
      view: () => parts.core.view(),
      compact: (throughIndex) => this.#enqueue({ kind: "compact", throughIndex }),
      onFailed: (error) => this.#fail("the state machine could not be made durable", error),
    });
  }

  get services(): RaftNode["services"] {
    return this.#parts.transport.services;
  }

  start(): void {
    if (this.#state !== "opened") return;
    this.#state = "running";
    const { ports, settings, transport } = this.#parts;
    transport.start({
      onMessage: (message) => this.#enqueue({ kind: "receive", message }),
      onUnreachable: (peer) => this.#enqueue({ kind: "unreachable", peer }),
      onEveryoneHas: (index) => this.#compactor.learn(index),
    });
    this.#timers.push(ports.timers.every(settings.tickMs, () => this.#tick()));
    this.#timers.push(ports.timers.every(settings.compactionCheckMs, () => this.#compactor.check()));
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

  status(): RaftStatus {
    const status = toStatus(this.#parts.core.view(), this.#waiters.appliedIndex);
    const isTakingPart = this.#state === "running" || this.#state === "opened";
    return isTakingPart ? status : { ...status, role: "follower", leader: undefined, isReadyLeader: false, peers: [] };
  }

  subscribe(listener: (event: RaftEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  addressOf(peer: PeerId): string | undefined {
    return this.#parts.config.peers.find(({ id }) => id === peer)?.address;
  }

  /** Highest index that every member is known to have; rides on every frame. */
  get everyoneHasIndex(): LogIndex {
    return this.#compactor.everyoneHasIndex;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.#handOver();
    const wasFailed = this.#state === "failed";
    this.#state = "stopped";
    for (const timer of this.#timers) timer.cancel();
    this.#answerAll();
    await this.#parts.transport.stop();
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
    const target = handOverTarget(this.#parts.core.view());
    if (this.#state !== "running" || target === undefined) return;
    const { ports, settings } = this.#parts;
    const endMs = ports.clock.monotonicMs() + handOverElections * settings.electionTicksMin * settings.tickMs;
    this.#handOverRef = this.#nextRef++;
    // What was proposed before comes before: during the hand-over the core takes no more.
    const proposals = this.#proposals.takeFresh();
    if (proposals.length > 0) this.#enqueue({ kind: "propose", proposals });
    this.#enqueue({ kind: "transfer", ref: this.#handOverRef, to: target });
    const isOpen = (): boolean => this.#handOverRef !== undefined || this.#proposals.openCount > 0;
    while (isOpen() && this.#state === "running" && ports.clock.monotonicMs() < endMs)
      await ports.timers.sleep(settings.tickMs);
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
    const { core } = this.#parts;
    const inputs = this.#inputs;
    this.#inputs = [];
    for (const input of inputs) core.step(input);
    const proposals = this.#proposals.takeFresh();
    if (proposals.length > 0) core.step({ kind: "propose", proposals });
    const readRef = this.#nextRef++;
    if (this.#reads.takeFresh(readRef)) core.step({ kind: "read", ref: readRef, mode: "safe" });
    this.#carryOut(core.drain());
  }

  #carryOut(output: Output): void {
    if (output.persist !== undefined) this.#persist(output.persist);
    for (const message of output.send) this.#send(message);
    for (const { token, message } of output.sendAfter) this.#sendAfter.add(token, message);
    if (output.apply.length > 0) this.#applier.push(output.apply);
    for (const order of output.fetch) this.#fetch(order);
    if (output.compact !== undefined)
      this.#watch(this.#parts.store.compact(output.compact), "the log could not be shortened");
    for (const reply of output.replies) this.#answer(reply);
    for (const event of output.events) this.#onCoreEvent(event);
  }

  #persist(order: PersistOrder): void {
    this.#parts.store.append(order).then(
      () => {
        this.#sendAfter.release(order.token);
        this.#enqueue({ kind: "persisted", token: order.token });
      },
      (error: unknown) => {
        if (this.#state !== "running") return;
        // Stepped at once, so that nothing more is promised from here on.
        this.#parts.core.step({ kind: "persistFailed", token: order.token });
        this.#fail("the log could not be written", error);
      },
    );
  }

  #fetch(order: FetchOrder): void {
    const fetched = this.#parts.store
      .read(order)
      .then((entries) => this.#enqueue({ kind: "fetched", ref: order.ref, entries }));
    this.#watch(fetched, "the log could not be read");
  }

  #send(message: Message): void {
    if (message.kind !== "snapshotRequest") return this.#parts.transport.send(message);
    // Snapshots come in a later version. Until then the log is never compacted past a known member, so that only a new
    // or wiped member can get here; it is told apart and left alone.
    this.#parts.ports.logger.error("raft.snapshot_needed", { peer: message.to, index: message.snapshot.index });
    const { timers } = this.#parts.ports;
    this.#timers.push(
      timers.after(snapshotRetryMs, () => this.#enqueue({ kind: "snapshotSent", peer: message.to, isOk: false })),
    );
  }

  #answer(reply: Reply): void {
    if (reply.ref === this.#handOverRef) {
      this.#handOverRef = undefined;
      return;
    }
    const isOurs = this.#proposals.answer(reply, this.#waiters.appliedIndex) || this.#reads.answer(reply);
    assert(isOurs, "the core answers what it was asked, once");
  }

  #onApplied(index: LogIndex): void {
    this.#waiters.advance(index);
    this.#proposals.advance(index);
    this.#enqueue({ kind: "applied", index });
  }

  #tick(): void {
    const { ports, settings, metrics, core } = this.#parts;
    const lateMs = this.#stallWatch.tick(ports.clock.monotonicMs());
    if (lateMs !== undefined) {
      metrics.stalled();
      ports.logger.warn("raft.loop_stalled", { lateMs: Math.round(lateMs) });
      this.#emit({ kind: "loopStalled", lateMs });
    }
    const view = core.view();
    // A leader that did not run for so long counts as one with a stalled disk: all its followers' silence is due now.
    const isZombie = lateMs !== undefined && lateMs > settings.diskSlowMs && view.role === "leader";
    for (let count = isZombie ? 2 * settings.electionTicksMin : 1; count > 0; count--) this.#enqueue({ kind: "tick" });
    this.#compactor.observe(view);
    metrics.show(toStatus(view, this.#waiters.appliedIndex), this.#proposals.openCount);
  }

  #onCoreEvent(event: CoreEvent): void {
    const told = logCoreEvent(event, this.#parts.ports.logger, this.#parts.settings.tickMs);
    if (told !== undefined) this.#emit(told);
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
    const { term } = this.#parts.core.view();
    this.#emit({ kind: "roleChanged", role: "follower", term });
    this.#emit({ kind: "leaderChanged", leader: undefined, term });
    this.#emit({ kind: "diskFailed", message });
    this.#watch(this.#parts.transport.stop(), "the peers' streams could not be ended");
  }

  #answerAll(): void {
    const ending = new HoldfastError("unavailable", "this master is stopping or has failed; ask another one");
    this.#proposals.end();
    this.#reads.end(ending);
    this.#waiters.end(ending);
  }
}

/** How many shortest election timeouts a stopping leader gives the hand-over. */
const handOverElections = 2;

/** How long a member that would need a snapshot is left alone. */
const snapshotRetryMs = 5000;

function notLeaderWhen(state: string): HoldfastError {
  return new HoldfastError("notLeader", `this master does not lead: it is ${state}`);
}
