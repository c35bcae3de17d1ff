import { assert, HoldfastError, type Result } from "@holdfast/base";
import type { Counter, Gauge, Histogram, Metrics } from "@holdfast/observability";
import type { ProposeOutcome, RaftNode } from "@holdfast/raft";
import type { Clock, KeyValueStore } from "@holdfast/runtime";
import type { DecideContext, Decision, ObservedNode, Refusal } from "../domain/decision.ts";
import { findOutcome } from "../domain/dedup.ts";
import { evolveBatch } from "../domain/evolve.ts";
import type { EventBatch } from "../domain/events.ts";
import { readerOf, tablesOf } from "../domain/tables.ts";
import { encodeBatch } from "../event-codec/event-codec.ts";
import { decodeOutcome, encodeOutcome } from "../wire/command.ts";
import { readProgress } from "./fold-entry.ts";
import { Overlay } from "./overlay.ts";
import type { Submission, SubmitResult, Submitter } from "./submission.ts";

/** Batches in flight when nothing else is said. */
const defaultInFlightBatchesMax = 4096;
/** Bytes of batches in flight. */
const inFlightBytesMax = 32 * 2 ** 20;
/** Bytes of one batch. */
const batchBytesMax = 8 * 2 ** 20;

/** What a command handler works with. */
export interface CommandHandlerOptions {
  readonly raft: RaftNode;
  /** The applied state; written by the state machine only. */
  readonly store: KeyValueStore;
  /** Whether the entry at an index, just applied, was void. */
  readonly isVoid: (index: number) => boolean;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** What the leader observes of nodes now. */
  readonly observedNodes: () => ReadonlyMap<number, ObservedNode>;
  /** See DecideContext. */
  readonly writeCopiesMin: number;
  /** More are refused with `tooBusy`. */
  readonly inFlightBatchesMax?: number;
}

/** What is in flight, in one term. */
interface InFlight {
  readonly sequence: number;
  readonly bytes: number;
  /** Resolves when applied; rejects when it did not, or may not have, happened. */
  readonly done: Promise<number>;
}

/**
 * Carries out submissions at the leader, one synchronous decision after another: look for an earlier outcome, decide
 * against applied state and what is in flight, put the events on top, propose. A batch that fails makes everything in
 * flight behind it void, on every master (`foldEntry`); the handler then takes nothing new until all of it is settled.
 */
export class CommandHandler implements Submitter {
  private readonly options: CommandHandlerOptions;
  private readonly overlay: Overlay;
  private readonly requests = new Map<string, Promise<SubmitResult>>();
  private readonly counts: HandlerMetrics;
  private inFlight = 0;
  private inFlightBytes = 0;
  private term = 0;
  private nextSequence = 1;
  private lastAtMs = 0;
  /** A batch failed and others behind it are not settled yet. */
  private isDraining = false;
  private tail: InFlight | undefined;

  constructor(options: CommandHandlerOptions) {
    this.options = options;
    this.overlay = new Overlay(options.store);
    this.counts = handlerMetrics(options.metrics);
  }

  async submit(submission: Submission): Promise<SubmitResult> {
    const { requestId } = submission;
    if (requestId === undefined) return this.decideAndPropose(submission);
    if (!/^[0-9A-Za-z_-]{1,64}$/.test(requestId)) {
      throw new HoldfastError(
        "invalidArgument",
        "A request id is 1 to 64 letters, digits, - or _. Nothing was changed.",
      );
    }
    const running = this.requests.get(requestId);
    if (running !== undefined) return { ...(await running), events: [] };
    const answer = this.answerOrRun(submission, requestId);
    this.requests.set(requestId, answer);
    try {
      return await answer;
    } finally {
      this.requests.delete(requestId);
    }
  }

  /** Batches that are decided and neither applied nor given up. */
  inFlightCount(): number {
    return this.inFlight;
  }

  private async answerOrRun(submission: Submission, requestId: string): Promise<SubmitResult> {
    this.enterTerm();
    const known = findOutcome(readerOf(this.options.store), requestId);
    if (known === undefined) return this.decideAndPropose(submission);
    this.counts.repeated.add();
    return { index: known.index, outcome: decodeOutcome(known.outcome), events: [] };
  }

  /** Synchronous up to the proposal: decisions never interleave. */
  private async decideAndPropose(submission: Submission): Promise<SubmitResult> {
    this.enterTerm();
    this.checkRoom();
    const context = this.contextFor(submission);
    const decided = submission.decide(readerOf(this.overlay), context);
    if (!decided.ok || decided.value.events.length === 0) return this.settleWithoutEvents(decided);
    const { events, outcome } = decided.value;
    const batch: EventBatch = {
      requestId: submission.requestId ?? "",
      actor: submission.actor,
      atMs: context.atMs,
      events,
      outcome: submission.requestId === undefined ? noBytes : encodeOutcome(outcome),
      sequence: this.nextSequence,
    };
    const index = await this.propose(batch);
    this.counts.committed.add();
    return { index, outcome, events };
  }

  private enterTerm(): void {
    const { raft, store } = this.options;
    const status = raft.status();
    if (!status.isReadyLeader) throw notLeader(raft);
    if (status.term !== this.term) {
      // Batches of an earlier term are either below by now or never will be.
      this.overlay.drop();
      this.term = status.term;
      this.nextSequence = 1;
      this.isDraining = false;
      this.tail = undefined;
      this.inFlight = 0;
      this.inFlightBytes = 0;
      this.lastAtMs = Math.max(this.lastAtMs, readProgress(readerOf(store)).atMs);
    }
    if (this.isDraining && this.inFlight === 0) this.endDraining();
  }

  private endDraining(): void {
    const progress = readProgress(readerOf(this.options.store));
    this.nextSequence = progress.leadTerm === this.term ? progress.leadSequence + 1 : 1;
    this.isDraining = false;
    this.tail = undefined;
  }

  private checkRoom(): void {
    const batchesMax = this.options.inFlightBatchesMax ?? defaultInFlightBatchesMax;
    if (!this.isDraining && this.inFlight < batchesMax && this.inFlightBytes < inFlightBytesMax) return;
    this.counts.refusedBusy.add();
    throw new HoldfastError(
      "tooBusy",
      "The leader has too many changes in progress. Nothing was changed; retry in a moment.",
    );
  }

  private contextFor(submission: Submission): DecideContext {
    const { clock, observedNodes, writeCopiesMin } = this.options;
    const atMs = Math.max(Math.floor(clock.wallMs()), this.lastAtMs, 0);
    return { atMs, term: this.term, actor: submission.actor, writeCopiesMin, nodes: observedNodes() };
  }

  /**
   * A refusal and "nothing to do" are answers, too: they may rest on what is in flight and must not come from a master
   * that was replaced. They wait for the last batch before them, or ask Raft whether this master still leads.
   */
  private async settleWithoutEvents(decided: Result<Decision, Refusal>): Promise<SubmitResult> {
    const { tail } = this;
    const index = tail === undefined ? await this.options.raft.readIndex() : await tail.done;
    if (decided.ok) return { index, outcome: decided.value.outcome, events: [] };
    this.counts.refused.add();
    throw new HoldfastError(decided.error.kind, decided.error.message);
  }

  private propose(batch: EventBatch): Promise<number> {
    const { raft } = this.options;
    const data = encodeBatch(batch);
    if (data.length > batchBytesMax) {
      throw new HoldfastError("tooLarge", "The change is too large for one log entry. Nothing was changed; split it.");
    }
    const { sequence, atMs, actor } = batch;
    const index = raft.status().lastIndex + 1;
    this.overlay.push(sequence, (buffer) => evolveBatch(tablesOf(buffer), batch, { index, atMs, actor }));
    this.nextSequence += 1;
    this.lastAtMs = atMs;
    this.inFlight += 1;
    this.inFlightBytes += data.length;
    this.counts.inFlight.set(this.inFlight);
    const startedAtMs = this.options.clock.monotonicMs();
    const place = { sequence, bytes: data.length, term: this.term };
    const done = raft.propose(data).then((outcome) => {
      this.counts.commitMs.observe(this.options.clock.monotonicMs() - startedAtMs);
      return this.settle(place, outcome);
    });
    this.tail = { ...place, done };
    // The submitter awaits it; whoever else waits for the tail gets the same answer.
    done.catch(() => undefined);
    return done;
  }

  private settle(place: { sequence: number; bytes: number; term: number }, outcome: ProposeOutcome): number {
    const isCurrent = place.term === this.term;
    if (isCurrent) {
      this.inFlight -= 1;
      this.inFlightBytes -= place.bytes;
      this.counts.inFlight.set(this.inFlight);
      assert(this.inFlight >= 0, "no more batches settle than were proposed");
    }
    if (outcome.kind === "applied" && !this.options.isVoid(outcome.index)) {
      if (isCurrent) this.retire(place.sequence);
      return outcome.index;
    }
    if (isCurrent) {
      this.overlay.drop();
      this.isDraining = true;
    }
    throw this.failure(outcome);
  }

  private retire(sequence: number): void {
    this.overlay.retire(sequence);
    if (this.tail?.sequence === sequence) this.tail = undefined;
  }

  private failure(outcome: ProposeOutcome): HoldfastError {
    switch (outcome.kind) {
      case "notLeader":
        return notLeader(this.options.raft);
      case "overloaded":
        return new HoldfastError("tooBusy", "The log can't keep up. Nothing was changed; retry in a moment.");
      case "applied":
      case "superseded":
        return new HoldfastError("unavailable", "The change was overtaken and did not happen. Retry it.");
      case "unknown":
        return new HoldfastError(
          "unavailable",
          "The leader changed; the change may or may not have happened. Retry with the same request id: it happens once.",
        );
    }
  }
}

const noBytes = new Uint8Array(0);

function notLeader(raft: RaftNode): HoldfastError {
  const { leader, id } = raft.status();
  const leaderAddress = leader === undefined || leader === id ? undefined : raft.addressOf(leader);
  return new HoldfastError(
    "notLeader",
    "This master does not lead (yet). Nothing was changed; ask the leader.",
    leaderAddress === undefined ? {} : { leaderAddress },
  );
}

interface HandlerMetrics {
  readonly committed: Counter;
  readonly refused: Counter;
  readonly refusedBusy: Counter;
  readonly repeated: Counter;
  readonly inFlight: Gauge;
  readonly commitMs: Histogram;
}

function handlerMetrics(metrics: Metrics): HandlerMetrics {
  const counter = (name: string, help: string): Counter => metrics.counter({ name: `holdfast_master_${name}`, help });
  return {
    committed: counter("batches_committed_total", "Event batches decided here and applied"),
    refused: counter("commands_refused_total", "Commands refused by a decision"),
    refusedBusy: counter("commands_busy_total", "Commands refused because too many were in flight"),
    repeated: counter("commands_repeated_total", "Retries answered from the dedup window"),
    inFlight: metrics.gauge({
      name: "holdfast_master_batches_in_flight_count",
      help: "Batches proposed and not settled",
    }),
    commitMs: metrics.histogram({ name: "holdfast_master_commit_ms", help: "Proposal to applied, ms" }),
  };
}
