import type { StateMachine } from "../api.ts";
import type { RaftView } from "../core/raft-core.ts";
import type { LogIndex } from "../core/types.ts";

/** What a compactor needs. */
export interface CompactorOptions {
  readonly stateMachine: StateMachine;
  /** So many applied entries stay in the log at least. */
  readonly retainedEntriesMin: number;
  /** So many stay for a member that lags, if it can be sent a snapshot. */
  readonly laggingEntriesMax: number;
  /** Oldest snapshot that is on its way to a member: it will need the log behind it. */
  readonly sendingIndex: () => LogIndex | undefined;
  readonly view: () => RaftView;
  /** Tells the core that the log up to here may go. */
  readonly compact: (throughIndex: LogIndex) => void;
  readonly onFailed: (error: unknown) => void;
}

/** A member that is being sent a snapshot may lag this much more, so that what it gets is of use. */
const sendingFactor = 4;

/**
 * Decides how much of the log may go: what every member is known to have (a leader knows that of its followers, and tells
 * them on every frame), and of the rest what is too old to wait for. A state machine without snapshots waits for ever.
 */
export class Compactor {
  readonly #options: CompactorOptions;
  #everyoneHas = 0 as LogIndex;
  #running: Promise<void> | undefined;

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  /** Highest index that every member is known to have; never goes back. */
  get everyoneHasIndex(): LogIndex {
    return this.#everyoneHas;
  }

  /** Learns from what a leader knows of its members. */
  observe(view: RaftView): void {
    if (view.role === "leader")
      this.learn(Math.min(view.commitIndex, ...view.peers.map((peer) => peer.matchIndex)) as LogIndex);
  }

  /** Somebody says that every member has the log up to here. */
  learn(index: LogIndex): void {
    if (index > this.#everyoneHas) this.#everyoneHas = index;
  }

  /** Looks whether enough has gathered to be worth it: half as much again as is retained. */
  check(): void {
    if (this.#running !== undefined) return;
    const view = this.#options.view();
    const retained = this.#options.retainedEntriesMin;
    const throughIndex = Math.min(view.appliedIndex - retained, this.#waitsFor(view));
    if (throughIndex - view.firstIndex + 1 < Math.max(1, retained / 2)) return;
    this.#running = this.#flushAndCompact(throughIndex);
  }

  /** The last entry that may go for the members' sake. */
  #waitsFor(view: RaftView): number {
    const { stateMachine, laggingEntriesMax, sendingIndex } = this.#options;
    if (stateMachine.snapshots === undefined) return this.#everyoneHas;
    const sending = Math.max(sendingIndex() ?? Infinity, view.appliedIndex - sendingFactor * laggingEntriesMax);
    return Math.min(sending, Math.max(this.#everyoneHas, view.appliedIndex - laggingEntriesMax));
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    await this.#running;
  }

  async #flushAndCompact(throughIndex: number): Promise<void> {
    try {
      await this.#options.stateMachine.flush();
      this.#options.compact(Math.min(throughIndex, this.#options.stateMachine.appliedIndex()) as LogIndex);
    } catch (error) {
      this.#options.onFailed(error);
    } finally {
      this.#running = undefined;
    }
  }
}
