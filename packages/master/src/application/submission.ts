import type { CommandOutcome } from "../domain/commands.ts";
import type { DecideContext, DecideResult } from "../domain/decision.ts";
import type { DomainEvent } from "../domain/events.ts";
import type { TableReader } from "../domain/tables.ts";

/** A wish to change something: from a caller's command or from a controller. */
export interface Submission {
  /** 1 to 64 of [0-9A-Za-z_-]; the same for every retry. Undefined for controllers: nobody will ask again. */
  readonly requestId?: string | undefined;
  /** See EventBatch.actor. */
  readonly actor: string;
  /** Pure and synchronous; runs once, at the leader, against applied state plus what is in flight. */
  readonly decide: (tables: TableReader, context: DecideContext) => DecideResult;
}

/** What became of a submission. */
export interface SubmitResult {
  /** Log index at which it is true; a read that names it sees it. */
  readonly index: number;
  readonly outcome: CommandOutcome;
  /** Events committed by this submission; empty for a repeated request and when nothing had to change. */
  readonly events: readonly DomainEvent[];
}

/** Carries out submissions at the leader. */
export interface Submitter {
  /**
   * Resolves once the events are committed and applied here. Errors: the refusal's kind; `notLeader` with the leader's
   * address; `unavailable` (may or may not have happened: retry with the same request id); `tooBusy` (nothing
   * happened); `invalidArgument` for a malformed request id.
   */
  submit(submission: Submission): Promise<SubmitResult>;
}

/** A batch that was just applied, as the state machine publishes it. In log order, each exactly once a process. */
export interface AppliedBatch {
  readonly index: number;
  readonly atMs: number;
  readonly actor: string;
  readonly events: readonly DomainEvent[];
  /** The tables as they are right after this batch; valid only during the call. */
  readonly tables: TableReader;
}

/**
 * Called synchronously as the batch is folded; its changes reach the store in the same turn of the event loop, so that
 * nobody can act on the call and then read older state. Must not throw.
 */
export type AppliedListener = (batch: AppliedBatch) => void;
