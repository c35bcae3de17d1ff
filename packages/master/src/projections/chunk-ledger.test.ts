import { expect, test } from "vitest";
import { WriteBuffer } from "../application/write-buffer.ts";
import type { DomainEvent } from "../domain/events.ts";
import { readerOf } from "../domain/tables.ts";
import { MemoryView } from "../testing/memory-view.ts";
import { arrivalsRing, chunkLedgerProjection, ledgerFactsMax, removalsRing } from "./chunk-ledger.ts";

function ledger(): { fold: (index: number, ...events: DomainEvent[]) => void; view: WriteBuffer } {
  const view = new WriteBuffer(new MemoryView());
  const fold = (index: number, ...events: DomainEvent[]): void => {
    const batch = { requestId: "", actor: "test", atMs: index, events, outcome: new Uint8Array(0), sequence: 1 };
    chunkLedgerProjection(view, { index, batch });
  };
  return { fold, view };
}

const trim = (chunkId: number): DomainEvent => {
  const evidence = { term: 4, reason: "drained", confirmedNodeIds: [1, 2, 3] };
  return { kind: "trimOrdered", chunkId, generation: 1, nodeId: 9, ...evidence };
};

test("a trim order is kept with its evidence; batches without copies leave no row", () => {
  const { fold, view } = ledger();
  fold(1, { kind: "nodeUp", nodeId: 1 });
  fold(2, { kind: "replicaConfirmed", chunkIds: [5, 6], nodeId: 1 }, trim(5));
  const tables = readerOf(view);
  expect(tables.get(arrivalsRing.cursor, [])).toEqual({ first: 0, next: 1, factCount: 2 });
  expect(tables.get(removalsRing.rows, [0])).toMatchObject({
    ...{ index: 2, atMs: 2, actor: "test" },
    facts: [{ kind: 3, chunkIds: [5], nodeIds: [9], reason: "drained", evidenceNodeIds: [1, 2, 3], term: 4 }],
  });
});

test("the ring forgets its oldest rows, and what comes does not push out what went", () => {
  const { fold, view } = ledger();
  fold(1, trim(1));
  const chunkIds = Array.from({ length: ledgerFactsMax / 2 }, (_, index) => index + 1);
  for (let index = 2; index <= 5; index++) fold(index, { kind: "replicaConfirmed", chunkIds, nodeId: 1 });
  const tables = readerOf(view);
  expect(tables.get(arrivalsRing.cursor, [])).toEqual({ first: 2, next: 4, factCount: ledgerFactsMax });
  expect(tables.get(arrivalsRing.rows, [1])).toBeUndefined();
  expect(tables.get(removalsRing.cursor, [])).toEqual({ first: 0, next: 1, factCount: 1 });
});
