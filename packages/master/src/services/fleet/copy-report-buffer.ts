import { isHoldfastError, ok } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { Timer, Timers } from "@holdfast/runtime";
import type { Submitter } from "../../application/submission.ts";
import { decideCopyReport, type CopyReport, type HeldCopy } from "../../domain/chunks/decide-replicas.ts";

/** Waits so long for more before copies are committed: many small reports become few events. */
const flushDelayMs = 200;
/** Waits so long before a failed commit is tried again. */
const retryDelayMs = 1000;
/** Copies of one commit. */
const flushCopiesMax = 4096;
/** Copies that wait; beyond it the rest is dropped, and the next comparison of digests finds them. */
const waitingCopiesMax = 100_000;

/** What the buffer works with. */
export interface CopyReportBufferOptions {
  readonly nodeId: number;
  readonly submitter: Submitter;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** `held`: added, before anybody called the copy damaged; who does so until the commit is right. */
type Kind = "added" | "held" | "corrupt" | "trimmed" | "listed" | "missing";

/** Collects what one node says about its copies and commits it in batches; of several words about one copy the last counts. */
export class CopyReportBuffer {
  readonly #options: CopyReportBufferOptions;
  readonly #waiting = new Map<number, { readonly kind: Kind; readonly copy: HeldCopy }>();
  #timer: Timer | undefined;
  #isCommitting = false;
  #isStopped = false;
  /** Called once after everything that waits now is committed. */
  #afterFlush: (() => void)[] = [];

  constructor(options: CopyReportBufferOptions) {
    this.#options = options;
  }

  /** Notes one copy. A listing does not overwrite what a report said, which is newer or more exact. */
  note(kind: Kind, copy: HeldCopy): void {
    if (this.#isStopped || this.#waiting.size >= waitingCopiesMax) return;
    const present = this.#waiting.get(copy.chunkId);
    if (present !== undefined && (kind === "listed" || kind === "missing")) return;
    this.#waiting.set(copy.chunkId, { kind, copy });
    this.#schedule(flushDelayMs);
  }

  /** Drops what waits to make these copies count; that one is damaged or trimmed stays said. */
  forget(chunkIds: readonly number[]): void {
    for (const chunkId of chunkIds) {
      const kind = this.#waiting.get(chunkId)?.kind;
      if (kind === "added" || kind === "held" || kind === "listed") this.#waiting.delete(chunkId);
    }
  }

  /** Calls back when all that was noted before is committed (at once when nothing waits). Not called after `stop`. */
  whenCommitted(callback: () => void): void {
    if (this.#waiting.size === 0 && !this.#isCommitting) callback();
    else this.#afterFlush.push(callback);
  }

  /** What waits is dropped: the next leader hears it again. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#waiting.clear();
    this.#afterFlush = [];
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== undefined || this.#isCommitting || this.#isStopped) return;
    this.#timer = this.#options.timers.after(delayMs, () => {
      this.#timer = undefined;
      void this.#flush();
    });
  }

  /** Never rejects. */
  async #flush(): Promise<void> {
    const taken = [...this.#waiting].slice(0, flushCopiesMax);
    for (const [chunkId] of taken) this.#waiting.delete(chunkId);
    this.#isCommitting = true;
    const isCommitted = await this.#commit(taken.map(([, entry]) => entry));
    this.#isCommitting = false;
    if (this.#isStopped) return;
    if (!isCommitted) {
      for (const [chunkId, entry] of taken) if (!this.#waiting.has(chunkId)) this.#waiting.set(chunkId, entry);
      this.#schedule(retryDelayMs);
      return;
    }
    if (this.#waiting.size > 0) {
      this.#schedule(taken.length === flushCopiesMax ? 0 : flushDelayMs);
      return;
    }
    const callbacks = this.#afterFlush;
    this.#afterFlush = [];
    for (const callback of callbacks) callback();
  }

  async #commit(entries: readonly { readonly kind: Kind; readonly copy: HeldCopy }[]): Promise<boolean> {
    const { nodeId, submitter, logger } = this.#options;
    const of = (kind: Kind): HeldCopy[] => entries.filter((entry) => entry.kind === kind).map((entry) => entry.copy);
    const report: CopyReport = {
      nodeId,
      added: of("added"),
      corrupt: of("corrupt"),
      trimmed: of("trimmed"),
      listed: [...of("held"), ...of("listed")],
      missingChunkIds: of("missing").map((copy) => copy.chunkId),
    };
    try {
      await submitter.submit({
        actor: `node:${nodeId}`,
        decide: (tables, context) => ok({ events: decideCopyReport(tables, report, context), outcome: {} }),
      });
      return true;
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      logger.info("fleet.copies_not_committed", { nodeId, kind: error.kind, count: entries.length });
      return false;
    }
  }
}
