import type { ErrorKind, Result } from "@holdfast/base";
import type { CommandOutcome } from "./commands.ts";
import type { DomainEvent } from "./events.ts";

/** Why a command is not carried out: the kind a caller sees and one sentence without secrets. */
export interface Refusal {
  readonly kind: ErrorKind;
  readonly message: string;
}

/** What a command leads to. No events: everything is as wanted already. */
export interface Decision {
  readonly events: readonly DomainEvent[];
  readonly outcome: CommandOutcome;
}

/** What a decision may know besides the tables; the same context and tables give the same decision. */
export interface DecideContext {
  /** Leader time of the batch; never less than that of any earlier one. */
  readonly atMs: number;
  /** The term in which the leader decides. */
  readonly term: number;
  /** See EventBatch.actor. */
  readonly actor: string;
  /** Copies that must be durable before a write counts. */
  readonly writeCopiesMin: number;
  /** What the leader observes of the nodes now, by node id; nodes it has not heard of in its term are absent. */
  readonly nodes: ReadonlyMap<number, ObservedNode>;
}

/** A node as the leader's heartbeats show it. */
export interface ObservedNode {
  readonly nodeId: number;
  /** Unknown until it was heard in this term. */
  readonly liveness: "unknown" | "live" | "suspect" | "dead";
  readonly usedBytes: number;
  readonly freeBytes: number;
  readonly capacityBytes: number;
  readonly chunkCount: number;
  readonly diskState: "ok" | "full" | "failed";
  readonly activeWriteCount: number;
  readonly activeReadCount: number;
  /** Why it is used only when no other node can be; absent for most. */
  readonly caution?: { readonly isGray: boolean; readonly reason: string };
}

/** A decision or a refusal. */
export type DecideResult = Result<Decision, Refusal>;
