import { Inflights } from "./inflights.ts";
import type { LogIndex } from "./types.ts";

/**
 * How a follower is sent entries. `probe`: one append at a time, until it is known where the logs agree; `replicate`:
 * a stream of appends ahead of their acknowledgement; `snapshot`: nothing, while a snapshot is under way.
 */
export type ProgressState = "probe" | "replicate" | "snapshot";

/** The limits a progress needs. */
export interface ProgressLimits {
  readonly inflightAppendsMax: number;
  readonly inflightBytesMax: number;
}

/** What a leader knows of one member's log (dissertation §3.5 nextIndex and matchIndex, §10.2.2 pipelining). */
export class Progress {
  state: ProgressState = "probe";
  /** The member's log is known to agree up to here. */
  match = 0 as LogIndex;
  /** Next to send; everything below is sent (replicate) or guessed to agree (probe). */
  next: LogIndex;
  /** Highest commit index sent. */
  sentCommit = 0 as LogIndex;
  /** Index of the snapshot under way; 0: none. */
  pendingSnapshot = 0 as LogIndex;
  /** Heard from since the last check of the quorum. */
  isActive = false;
  /** No append may be sent until an answer or a heartbeat's answer comes. */
  isPausedForAnswer = false;
  /** Entries for it are being fetched from the log store under this reference; 0: none. */
  fetchRef = 0;
  /** Highest heartbeat round it answered. */
  ackedRound = 0;
  isLearner: boolean;
  readonly #limits: ProgressLimits;
  #inflights: Inflights;

  constructor(start: { readonly next: LogIndex; readonly isLearner: boolean; readonly limits: ProgressLimits }) {
    this.next = start.next;
    this.isLearner = start.isLearner;
    this.#limits = start.limits;
    this.#inflights = new Inflights({
      countMax: start.limits.inflightAppendsMax,
      bytesMax: start.limits.inflightBytesMax,
    });
  }

  get inflights(): Inflights {
    return this.#inflights;
  }

  /** Must not be sent appends now. */
  get isPaused(): boolean {
    return this.state === "snapshot" || this.isPausedForAnswer || this.fetchRef !== 0;
  }

  #enter(state: ProgressState): void {
    this.state = state;
    this.isPausedForAnswer = false;
    this.pendingSnapshot = 0 as LogIndex;
    this.fetchRef = 0;
    this.#inflights.reset();
  }

  /** Finds out where the logs agree: after the snapshot when one was under way, else after what is known to agree. */
  becomeProbe(): void {
    const pendingSnapshot = this.pendingSnapshot;
    this.#enter("probe");
    this.next = (Math.max(this.match, pendingSnapshot) + 1) as LogIndex;
    this.#capSentCommit();
  }

  /** Streams. */
  becomeReplicate(): void {
    this.#enter("replicate");
    this.next = (this.match + 1) as LogIndex;
  }

  /** Waits for a snapshot up to `index`. */
  becomeSnapshot(index: LogIndex): void {
    this.#enter("snapshot");
    this.pendingSnapshot = index;
    this.next = (index + 1) as LogIndex;
    this.sentCommit = index;
  }

  /** An append with this many entries and payload bytes left. */
  sentEntries(sent: { readonly count: number; readonly bytes: number }): void {
    if (this.state === "replicate") {
      if (sent.count > 0) {
        this.next = (this.next + sent.count) as LogIndex;
        this.#inflights.add({ lastIndex: this.next - 1, bytes: sent.bytes });
      }
      this.isPausedForAnswer = this.#inflights.isFull;
    } else if (sent.count > 0) {
      this.isPausedForAnswer = true;
    }
  }

  /** Whether telling it the commit index `index` would be news that it can use. */
  canUseCommit(index: LogIndex): boolean {
    return index > this.sentCommit && this.sentCommit < this.next - 1;
  }

  /** It acknowledged `index`; whether that is news. */
  acknowledge(index: LogIndex): boolean {
    if (index <= this.match) return false;
    this.match = index;
    if (this.next <= index) this.next = (index + 1) as LogIndex;
    this.isPausedForAnswer = false;
    return true;
  }

  /** It refused an append after `rejected` and suggests `hint`; whether that is news (late answers are not). */
  stepBack(rejected: LogIndex, hint: LogIndex): boolean {
    if (this.state === "replicate") {
      if (rejected <= this.match) return false;
      this.next = (this.match + 1) as LogIndex;
    } else {
      if (this.next - 1 !== rejected) return false;
      this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1) as LogIndex;
      this.isPausedForAnswer = false;
    }
    this.#capSentCommit();
    return true;
  }

  /** It lost what it had after `index`: what was known of that counts no more. */
  forgetAfter(index: LogIndex): void {
    this.match = Math.min(this.match, index) as LogIndex;
    this.#enter("probe");
    this.next = (index + 1) as LogIndex;
    this.#capSentCommit();
  }

  #capSentCommit(): void {
    this.sentCommit = Math.min(this.sentCommit, this.next - 1) as LogIndex;
  }

  /** An equal, independent one. */
  clone(): Progress {
    const copy = new Progress({ next: this.next, isLearner: this.isLearner, limits: this.#limits });
    copy.state = this.state;
    copy.match = this.match;
    copy.sentCommit = this.sentCommit;
    copy.pendingSnapshot = this.pendingSnapshot;
    copy.isActive = this.isActive;
    copy.isPausedForAnswer = this.isPausedForAnswer;
    copy.fetchRef = this.fetchRef;
    copy.ackedRound = this.ackedRound;
    copy.#inflights = this.#inflights.clone();
    return copy;
  }
}
