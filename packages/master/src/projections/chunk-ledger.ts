import { assert } from "@holdfast/base";
import type { Projection } from "../application/state-machine.ts";
import { idPart } from "../domain/codec/key-codec.ts";
import { listOf, nested, record, text, uint } from "../domain/codec/value-codec.ts";
import type { DomainEvent } from "../domain/events.ts";
import { defineTable, tablesOf, type Table, type Tables } from "../domain/tables.ts";

/** Facts that one ring keeps, counted by chunk; older ones are in the log's archive. */
export const ledgerFactsMax = 200_000;

/** What can happen to a copy, in the order of its number in the rows. */
export const ledgerKinds = ["placed", "confirmed", "lost", "trimOrdered", "trimmed"] as const;

/** One thing that happened to copies of some chunks, on some nodes. */
export interface LedgerFact {
  /** Position in `ledgerKinds`. */
  readonly kind: number;
  readonly chunkIds: readonly number[];
  readonly nodeIds: readonly number[];
  readonly reason: string;
  /** Of a trim order: nodes with a confirmed copy at that moment. */
  readonly evidenceNodeIds: readonly number[];
  /** Of a trim order. */
  readonly term: number;
}

/** The facts of one batch. */
export interface LedgerRow {
  readonly index: number;
  readonly atMs: number;
  readonly actor: string;
  readonly facts: readonly LedgerFact[];
}

/** Where a ring stands: its rows are [first, next). */
interface LedgerCursor {
  readonly first: number;
  readonly next: number;
  readonly factCount: number;
}

/** A ring of rows by running number, and its cursor. */
export interface LedgerRing {
  readonly rows: Table<readonly [number], LedgerRow>;
  readonly cursor: Table<readonly [], LedgerCursor>;
}

function defineRing(name: string, tag: number): LedgerRing {
  const fact = { kind: uint, chunkIds: listOf(uint), nodeIds: listOf(uint) };
  const why = { reason: text, evidenceNodeIds: listOf(uint), term: uint };
  const facts = listOf(nested<LedgerFact>({ ...fact, ...why }));
  return {
    rows: defineTable<readonly [number], LedgerRow>({
      name,
      tag,
      keyParts: [idPart],
      value: record<LedgerRow>({ index: uint, atMs: uint, actor: text, facts }),
    }),
    cursor: defineTable<readonly [], LedgerCursor>({
      name: `${name}Cursor`,
      tag: tag + 1,
      keyParts: [],
      value: record<LedgerCursor>({ first: uint, next: uint, factCount: uint }),
    }),
  };
}

/** How copies came. Apart from how they went, because many more come: a removal can be asked about for much longer. */
export const arrivalsRing = defineRing("ledgerArrivals", 0x62);
/** How copies went. */
export const removalsRing = defineRing("ledgerRemovals", 0x64);

/** Keeps, in one row a batch, why copies came and went; a question about a chunk reads through the rings. */
export const chunkLedgerProjection: Projection = (view, { index, batch }) => {
  const facts = batch.events.flatMap(factsOf);
  if (facts.length === 0) return;
  const tables = tablesOf(view);
  const at = { index, atMs: batch.atMs, actor: batch.actor };
  const isArrival = (fact: LedgerFact): boolean => fact.kind <= 1;
  append(tables, arrivalsRing, { ...at, facts: facts.filter(isArrival) });
  append(tables, removalsRing, { ...at, facts: facts.filter((fact) => !isArrival(fact)) });
};

function append(tables: Tables, { rows, cursor }: LedgerRing, row: LedgerRow): void {
  if (row.facts.length === 0) return;
  const before = tables.get(cursor, []) ?? { first: 0, next: 0, factCount: 0 };
  tables.set(rows, [before.next], row);
  let { first, factCount } = before;
  factCount += countFacts(row);
  // The newest row stays, however large it is.
  while (factCount > ledgerFactsMax && first < before.next) {
    const oldest = tables.get(rows, [first]);
    assert(oldest !== undefined, "every number of the ring has its row");
    tables.delete(rows, [first]);
    factCount -= countFacts(oldest);
    first += 1;
  }
  tables.set(cursor, [], { first, next: before.next + 1, factCount });
}

function countFacts({ facts }: LedgerRow): number {
  return facts.reduce((sum, fact) => sum + fact.chunkIds.length, 0);
}

function factsOf(event: DomainEvent): readonly LedgerFact[] {
  const fact = (kind: (typeof ledgerKinds)[number], fields: Partial<LedgerFact>): LedgerFact => {
    const nothing = { chunkIds: [], nodeIds: [], reason: "", evidenceNodeIds: [], term: 0 };
    return { ...nothing, ...fields, kind: ledgerKinds.indexOf(kind) };
  };
  switch (event.kind) {
    case "chunkPlaced": {
      const chunkIds = [event.chunkId];
      return [
        fact("placed", { chunkIds, nodeIds: event.nodeIds, reason: "written" }),
        fact("confirmed", { chunkIds, nodeIds: event.confirmedNodeIds, reason: "written" }),
      ];
    }
    case "replicaPlaced":
      return [fact("placed", { chunkIds: event.chunkIds, nodeIds: [event.nodeId], reason: event.reason })];
    case "replicaConfirmed":
      return [fact("confirmed", { chunkIds: event.chunkIds, nodeIds: [event.nodeId] })];
    case "replicaLost":
      return [fact("lost", { chunkIds: event.chunkIds, nodeIds: [event.nodeId], reason: event.reason })];
    case "trimOrdered": {
      const { chunkId, nodeId, reason, term, confirmedNodeIds: evidenceNodeIds } = event;
      return [fact("trimOrdered", { chunkIds: [chunkId], nodeIds: [nodeId], reason, term, evidenceNodeIds })];
    }
    case "replicaTrimmed":
      return [fact("trimmed", { chunkIds: [event.chunkId], nodeIds: [event.nodeId] })];
    default:
      return [];
  }
}
