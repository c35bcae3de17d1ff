import { HoldfastError, isHoldfastError } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { Network } from "@holdfast/rpc";
import type { Clock, Random, Timers } from "@holdfast/runtime";
import type { RaftEvent, SnapshotTransfer, StateMachine, StateSnapshot } from "../../api.ts";
import type { SnapshotMeta } from "../../core/entries.ts";
import type { LogIndex, PeerId, Term } from "../../core/types.ts";
import { OutgoingSnapshot } from "./outgoing-snapshot.ts";

/** What the sender of snapshots needs. */
export interface SnapshotSenderOptions {
  readonly network: Network;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly stateMachine: StateMachine;
  readonly clusterId: string;
  readonly self: PeerId;
  readonly incarnation: () => string;
  readonly addressOf: (peer: PeerId) => string | undefined;
  /** Resolves when the core's host knows that everything up to here is applied. */
  readonly whenApplied: (index: LogIndex) => Promise<void>;
  /** Position and membership at an applied index. */
  readonly metaAt: (index: LogIndex) => SnapshotMeta | undefined;
  readonly position: () => { readonly term: Term; readonly firstIndex: LogIndex };
  /** A member that could not be sent a snapshot is left alone for so long. */
  readonly retryMs: number;
  readonly stallMs: number;
  /** A frozen state that no stream needs is given back after this. */
  readonly keptMs: number;
  /** The core's order for this member is carried out, or was not. */
  readonly onEnded: (peer: PeerId, isOk: boolean) => void;
  readonly onEvent: (event: RaftEvent) => void;
}

interface Transfer {
  readonly outgoing: OutgoingSnapshot;
  isRunning: boolean;
  idleSinceMs: number;
}

/** Sends the state to members that the log cannot help any more, each on a stream of its own. */
export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;
  readonly #transfers = new Map<PeerId, Transfer>();
  readonly #opening = new Set<PeerId>();
  #running = new Set<Promise<void>>();
  #isStopped = false;

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
  }

  /** Carries out the core's order: goes on with a broken transfer whose end the log still continues, else begins anew. */
  send(peer: PeerId): void {
    if (this.#isStopped || this.#opening.has(peer) || this.#transfers.get(peer)?.isRunning === true) return;
    const done = this.#send(peer);
    this.#running.add(done);
    void done.finally(() => this.#running.delete(done));
  }

  /** What is on its way. */
  transfers(): readonly SnapshotTransfer[] {
    return [...this.#transfers].map(([peer, { outgoing }]) => ({
      peer,
      index: outgoing.meta.index,
      sentBytes: outgoing.sentBytes,
      percent: outgoing.percent,
    }));
  }

  /** The oldest state on its way: the log behind it is needed when it arrives. */
  get lowestIndex(): LogIndex | undefined {
    const indexes = [...this.#transfers.values()].map(({ outgoing }) => outgoing.meta.index);
    return indexes.length === 0 ? undefined : (Math.min(...indexes) as LogIndex);
  }

  /** Gives frozen states back that nobody has asked for in a while. */
  tidy(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [peer, transfer] of this.#transfers)
      if (!transfer.isRunning && nowMs - transfer.idleSinceMs > this.#options.keptMs) this.#drop(peer);
  }

  /** This node leads no more: others send from here on. */
  end(): void {
    for (const peer of this.#transfers.keys()) this.#drop(peer);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.end();
    await Promise.all(this.#running);
  }

  async #send(peer: PeerId): Promise<void> {
    const { logger, timers, retryMs, onEnded } = this.#options;
    try {
      const transfer = this.#usable(peer) ?? (await this.#begin(peer));
      await this.#run(peer, transfer);
      this.#drop(peer);
      onEnded(peer, true);
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      const transfer = this.#transfers.get(peer);
      const sentBytes = transfer?.outgoing.sentBytes ?? 0;
      logger.warn("raft.snapshot_broke", { peer, sentBytes, kind: error.kind, message: error.message });
      this.#options.onEvent({ kind: "snapshotBroke", peer, sentBytes });
      if (!this.#isStopped) timers.after(retryMs, () => onEnded(peer, false));
    }
  }

  async #run(peer: PeerId, transfer: Transfer): Promise<void> {
    const { outgoing } = transfer;
    const { logger, clock, onEvent, position } = this.#options;
    const startedMs = clock.monotonicMs();
    transfer.isRunning = true;
    logger.info("raft.snapshot_sending", { peer, index: outgoing.meta.index, stream: outgoing.streams + 1 });
    onEvent({ kind: "snapshotSending", peer, index: outgoing.meta.index });
    try {
      await outgoing.run(position().term);
    } finally {
      transfer.isRunning = false;
      transfer.idleSinceMs = clock.monotonicMs();
    }
    const durationMs = Math.round(clock.monotonicMs() - startedMs);
    logger.info("raft.snapshot_sent", { peer, index: outgoing.meta.index, bytes: outgoing.sentBytes, durationMs });
    onEvent({ kind: "snapshotSent", peer, index: outgoing.meta.index, bytes: outgoing.sentBytes });
  }

  #usable(peer: PeerId): Transfer | undefined {
    const transfer = this.#transfers.get(peer);
    if (transfer === undefined) return undefined;
    if (transfer.outgoing.meta.index + 1 >= this.#options.position().firstIndex) return transfer;
    this.#drop(peer);
    return undefined;
  }

  async #begin(peer: PeerId): Promise<Transfer> {
    const { stateMachine, metaAt, addressOf, random, incarnation, clock } = this.#options;
    const address = addressOf(peer);
    if (stateMachine.snapshots === undefined) throw cannot(peer, "the state machine makes no snapshots");
    if (address === undefined) throw cannot(peer, "its address is not known");
    this.#opening.add(peer);
    let snapshot: StateSnapshot | undefined;
    try {
      snapshot = await stateMachine.snapshots.open();
      await this.#options.whenApplied(snapshot.index);
      const meta = metaAt(snapshot.index);
      if (meta === undefined || this.#isStopped)
        throw cannot(peer, `entry ${snapshot.index} is not known here any more`);
      const outgoing = new OutgoingSnapshot({
        ...{ ...this.#options, to: peer, address, incarnation: incarnation() },
        ...{ id: random.bytes(16), meta, snapshot },
      });
      const transfer = { outgoing, isRunning: false, idleSinceMs: clock.monotonicMs() };
      this.#transfers.set(peer, transfer);
      return transfer;
    } catch (error) {
      await snapshot?.close();
      throw error;
    } finally {
      this.#opening.delete(peer);
    }
  }

  #drop(peer: PeerId): void {
    const transfer = this.#transfers.get(peer);
    this.#transfers.delete(peer);
    if (transfer === undefined) return;
    const closed = transfer.outgoing.close().catch((error: unknown) => {
      this.#options.logger.warn("raft.snapshot_close_failed", { peer, message: String(error) });
    });
    this.#running.add(closed);
    void closed.finally(() => this.#running.delete(closed));
  }
}

function cannot(peer: PeerId, why: string): HoldfastError {
  return new HoldfastError("unavailable", `member ${peer} needs a snapshot and gets none: ${why}`);
}
