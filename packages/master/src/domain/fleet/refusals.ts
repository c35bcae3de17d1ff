import { ok, refused, type ErrorKind, type Result } from "@holdfast/base";
import type { Decision, Refusal } from "../decision.ts";
import type { DomainEvent } from "../events.ts";
import type { TableReader } from "../tables.ts";
import { nodeIntent, nodeTable, type NodeRow } from "./tables.ts";

/** A refusal of an order. */
export type Refused = { readonly ok: false; readonly error: Refusal };

/** A refusal; `message` says what stands in the way and what to do, and ends with a full stop. */
export function refuse(kind: ErrorKind, message: string): Refused {
  return refused({ kind, message: `${message} Nothing was changed.` });
}

/** Everything is as wanted already. */
export const unchanged: { readonly ok: true; readonly value: Decision } = ok({ events: [], outcome: {} });

/** One fact. */
export function decided(event: DomainEvent): { readonly ok: true; readonly value: Decision } {
  return ok({ events: [event], outcome: {} });
}

/** A node that is part of the cluster. Errors: `notFound`, `precondition` (removed). */
export function findNode(tables: TableReader, nodeId: number): Result<NodeRow, Refusal> {
  const row = tables.get(nodeTable, [nodeId]);
  if (row === undefined) return refuse("notFound", `There is no node ${nodeId}.`);
  if (row.intent === nodeIntent.removed) {
    return refuse("precondition", `${row.name} was removed from the cluster, which is for ever.`);
  }
  return ok(row);
}

/** Names of nodes, for people. */
export function namesOf(tables: TableReader, nodeIds: readonly number[]): string {
  return nodeIds.map((nodeId) => tables.get(nodeTable, [nodeId])?.name ?? `node ${nodeId}`).join(", ");
}

/** "1 chunk", "12 chunks". */
export function chunksText(count: number): string {
  return count === 1 ? "1 chunk" : `${count} chunks`;
}

const reasonLengthMax = 200;

/** What is wrong with words that an administrator gave, or undefined. */
export function flawOfText(text: string, what: string): string | undefined {
  if (text.length > reasonLengthMax) return `${what} has at most ${reasonLengthMax} characters.`;
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return /[\u0000-\u001f\u007f]/.test(text) ? `${what} has no line breaks or control characters.` : undefined;
}
