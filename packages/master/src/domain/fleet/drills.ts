import { idPart } from "../codec/key-codec.ts";
import { listOf, record, text, uint } from "../codec/value-codec.ts";
import { defineTable, type TableReader, type Tables } from "../tables.ts";

/** A failure that the product itself injects, or injected not long ago. */
export interface DrillRow {
  readonly drillId: number;
  readonly nodeId: number;
  /** "stop", "partition", "slow", "corrupt". */
  readonly drillKind: string;
  readonly startedAtMs: number;
  readonly endsAtMs: number;
  readonly delayMs: number;
  /** Of "corrupt"; else 0. */
  readonly chunkId: number;
  readonly actor: string;
  /** 0 = it runs. */
  readonly endedAtMs: number;
}

/** Drills that are over and remembered: what they broke may show later. */
const drillsEndedMax = 100;
/** What happens so long after the end of a drill may still be of its making: a node needs time to come back. */
const echoMs = 15_000;

/** Drills by id. */
export const drillTable = defineTable({
  name: "drill",
  tag: 0x37,
  keyParts: [idPart],
  value: record<DrillRow>({
    drillId: uint,
    nodeId: uint,
    drillKind: text,
    startedAtMs: uint,
    endsAtMs: uint,
    delayMs: uint,
    chunkId: uint,
    actor: text,
    endedAtMs: uint,
  }),
});

interface DrillList {
  readonly runningIds: readonly number[];
  readonly endedIds: readonly number[];
}

/** Which drills there are; one row. */
export const drillListTable = defineTable({
  name: "drillList",
  tag: 0x38,
  keyParts: [],
  value: record<DrillList>({ runningIds: listOf(uint), endedIds: listOf(uint) }),
});

/** Drills that run, oldest first. */
export function listDrills(tables: TableReader): readonly DrillRow[] {
  return rowsOf(tables, drillList(tables).runningIds);
}

/** Drills that run on a node. */
export function drillsOf(tables: TableReader, nodeId: number): readonly DrillRow[] {
  return listDrills(tables).filter((drill) => drill.nodeId === nodeId);
}

/** Whether a drill keeps its node from being heard or used. */
export function cutsOff(drill: DrillRow): boolean {
  return drill.drillKind === "stop" || drill.drillKind === "partition";
}

/** The drill that makes a node silent at this time; 0 = none. */
export function drillBehindSilence(tables: TableReader, nodeId: number, atMs: number): number {
  const { runningIds, endedIds } = drillList(tables);
  const drills = rowsOf(tables, [...runningIds, ...endedIds.toReversed()]);
  const cause = drills.find(
    (drill) => drill.nodeId === nodeId && cutsOff(drill) && (drill.endedAtMs === 0 || atMs < drill.endedAtMs + echoMs),
  );
  return cause?.drillId ?? 0;
}

/** The drill that damaged this very copy; 0 = none. It may be over: damage shows when the copy is read. */
export function drillBehindDamage(tables: TableReader, nodeId: number, chunkId: number): number {
  const { runningIds, endedIds } = drillList(tables);
  const cause = rowsOf(tables, [...runningIds, ...endedIds.toReversed()]).find(
    (drill) => drill.drillKind === "corrupt" && drill.nodeId === nodeId && drill.chunkId === chunkId,
  );
  return cause?.drillId ?? 0;
}

/** For `evolve`: a drill runs from now on. */
export function addDrill(tables: Tables, row: DrillRow): void {
  const list = drillList(tables);
  tables.set(drillTable, [row.drillId], row);
  tables.set(drillListTable, [], { ...list, runningIds: [...list.runningIds, row.drillId] });
}

/** For `evolve`: a drill is over. One that is over already stays as it is. */
export function endDrill(tables: Tables, drillId: number, endedAtMs: number): void {
  const row = tables.get(drillTable, [drillId]);
  if (row === undefined || row.endedAtMs !== 0) return;
  tables.set(drillTable, [drillId], { ...row, endedAtMs });
  const list = drillList(tables);
  const endedIds = [...list.endedIds, drillId];
  const forgotten = endedIds.length > drillsEndedMax ? endedIds.shift() : undefined;
  tables.set(drillListTable, [], { runningIds: list.runningIds.filter((id) => id !== drillId), endedIds });
  if (forgotten !== undefined) tables.delete(drillTable, [forgotten]);
}

function drillList(tables: TableReader): DrillList {
  return tables.get(drillListTable, []) ?? { runningIds: [], endedIds: [] };
}

function rowsOf(tables: TableReader, drillIds: readonly number[]): readonly DrillRow[] {
  return drillIds.map((drillId) => tables.get(drillTable, [drillId])).filter((row) => row !== undefined);
}
