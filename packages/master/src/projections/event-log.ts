import { assert } from "@holdfast/base";
import { idPart } from "../domain/codec/key-codec.ts";
import { listOf, nested, record, text, uint } from "../domain/codec/value-codec.ts";
import { defineTable, readerOf, tablesOf, type TableReader } from "../domain/tables.ts";
import type { DomainEvent } from "../domain/events.ts";
import type { Projection } from "../application/state-machine.ts";
import { summarise } from "./event-summary.ts";

/** Batches that are kept for people to read; older ones are in the log's archive. */
export const listedBatchesMax = 10_000;
/** Events of a batch that are told one by one; the rest is counted. */
const itemsMax = 64;

/** A batch as people read it. */
export interface ListedBatch {
  readonly index: number;
  readonly atMs: number;
  readonly actor: string;
  readonly items: readonly ListedEvent[];
  /** Beside each item the drill that started, ended or caused it; 0 = none. Empty when there is none in the batch. */
  readonly drillIds: readonly number[];
}
/** One event in words, without secrets. */
export interface ListedEvent {
  /** "NodeDown", "FileCreated", ... */
  readonly type: string;
  readonly summary: string;
}

/** Key: a running number, so that the ring needs no range to forget its oldest. */
export const eventLogTable = defineTable({
  name: "eventLog",
  tag: 0x60,
  keyParts: [idPart],
  value: record<ListedBatch>({
    index: uint,
    atMs: uint,
    actor: text,
    items: listOf(nested<ListedEvent>({ type: text, summary: text })),
    drillIds: listOf(uint),
  }),
});

/** The next running number; one row. */
export const eventLogCursorTable = defineTable({
  name: "eventLogCursor",
  tag: 0x61,
  keyParts: [],
  value: record<{ readonly next: number }>({ next: uint }),
});

/** Keeps the last batches in words. */
export const eventLogProjection: Projection = (view, { index, batch }) => {
  const tables = tablesOf(view);
  const next = tables.get(eventLogCursorTable, [])?.next ?? 0;
  const items = batch.events
    .slice(0, itemsMax)
    .map((event) => ({ type: typeName(event.kind), summary: summarise(event, readerOf(view)) }));
  const more = batch.events.length - items.length;
  if (more > 0) items.push({ type: "More", summary: `and ${more} more events` });
  const allDrillIds = batch.events.slice(0, itemsMax).map((event) => drillOf(event));
  const drillIds = allDrillIds.some((drillId) => drillId !== 0) ? allDrillIds : [];
  tables.set(eventLogTable, [next], { index, atMs: batch.atMs, actor: batch.actor, items, drillIds });
  tables.set(eventLogCursorTable, [], { next: next + 1 });
  if (next >= listedBatchesMax) tables.delete(eventLogTable, [next - listedBatchesMax]);
};

/**
 * Batches before an index (0 = from the newest), newest first, until at least `eventsMin` events are gathered or
 * nothing is left. A batch is never cut in two.
 */
export function listBatches(
  tables: TableReader,
  page: { readonly beforeIndex: number; readonly eventsMin: number },
): readonly ListedBatch[] {
  const end = tables.get(eventLogCursorTable, [])?.next ?? 0;
  const start = Math.max(0, end - listedBatchesMax);
  let number = page.beforeIndex === 0 ? end : firstNotBelow(tables, { start, end, index: page.beforeIndex });
  const batches: ListedBatch[] = [];
  let events = 0;
  while (number > start && events < page.eventsMin) {
    number -= 1;
    const batch = tables.get(eventLogTable, [number]);
    assert(batch !== undefined, "every number of the ring has its batch");
    batches.push(batch);
    events += batch.items.length;
  }
  return batches;
}

function firstNotBelow(tables: TableReader, search: { start: number; end: number; index: number }): number {
  let low = search.start;
  let high = search.end;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const batch = tables.get(eventLogTable, [middle]);
    if (batch !== undefined && batch.index < search.index) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The drill that an event is about, or that caused it; 0 = nobody did it on purpose. */
export function drillOf(event: DomainEvent): number {
  return "drillId" in event ? event.drillId : 0;
}

function typeName(kind: string): string {
  return kind.slice(0, 1).toUpperCase() + kind.slice(1);
}
