import { assert, isPlanted } from "@holdfast/base";
import { idPart, textPart } from "./codec/key-codec.ts";
import { blob, flag, record, text, uint } from "./codec/value-codec.ts";
import { defineTable, type TableReader, type Tables } from "./tables.ts";

/** What the first event of the log fixed, and the number of copies as it is wanted now. */
export interface ClusterRecord {
  readonly clusterId: string;
  readonly chunkSizeBytes: number;
  readonly replication: number;
}

/** Cursors of the projections as a whole. */
export interface ProgressRecord {
  /** Index of the last entry folded. */
  readonly appliedIndex: number;
  /** Leader time of that entry's batch. */
  readonly atMs: number;
  /** SHA-256 over (hash before, index, key changes in order); equal on all masters at equal index. */
  readonly stateHash: Uint8Array;
  /** Term and sequence of the last batch that was not void. */
  readonly leadTerm: number;
  readonly leadSequence: number;
}

/** One row, key "cluster". Absent before the first event. */
export const clusterTable = defineTable({
  name: "cluster",
  tag: 0x01,
  keyParts: [],
  value: record<ClusterRecord>({ clusterId: text, chunkSizeBytes: uint, replication: uint }),
});

/** One row. Written by the state machine with every entry, not by `evolve`. */
export const progressTable = defineTable({
  name: "progress",
  tag: 0x02,
  keyParts: [],
  value: record<ProgressRecord>({
    appliedIndex: uint,
    atMs: uint,
    stateHash: blob,
    leadTerm: uint,
    leadSequence: uint,
  }),
});

/** What the cluster does on its own, as administrators set it. */
export interface HousekeepingRecord {
  readonly isBalancePaused: boolean;
  readonly isRepairPaused: boolean;
  readonly isMassLossAccepted: boolean;
}

/** One row; absent before the first change. See `readHousekeeping`. */
export const housekeepingTable = defineTable({
  name: "housekeeping",
  tag: 0x12,
  keyParts: [],
  value: record<HousekeepingRecord>({ isBalancePaused: flag, isRepairPaused: flag, isMassLossAccepted: flag }),
});

/** What is paused now. */
export function readHousekeeping(tables: TableReader): HousekeepingRecord {
  return (
    tables.get(housekeepingTable, []) ?? { isBalancePaused: false, isRepairPaused: false, isMassLossAccepted: false }
  );
}

/** Numbers by name: the last id given of a kind, cluster-wide counts. */
export const counterTable = defineTable({
  name: "counter",
  tag: 0x03,
  keyParts: [textPart],
  value: record<{ readonly value: number }>({ value: uint }),
});

/** Usage per account, every version and everything in the trash included. */
export interface UsageRecord {
  readonly fileCount: number;
  readonly bytes: number;
}
/** By account; the account 0 is the cluster's sum. */
export const usageTable = defineTable({
  name: "usage",
  tag: 0x04,
  keyParts: [idPart],
  value: record<UsageRecord>({ fileCount: uint, bytes: uint }),
});

/** Kinds of ids that the log gives. Each kind counts from 1. */
export type IdKind = "entry" | "version" | "user" | "chunk" | "grant" | "node" | "joinToken" | "drill";

/** The value of a counter; 0 when it was never set. */
export function readCounter(tables: TableReader, name: string): number {
  return tables.get(counterTable, [name])?.value ?? 0;
}

/** Adds to a counter. */
export function addToCounter(tables: Tables, name: string, amount: number): void {
  const value = readCounter(tables, name) + amount;
  assert(value >= 0, `the count of ${name} is never negative`);
  tables.set(counterTable, [name], { value });
}

/** For `decide`: the next free id of a kind, and those after it in order. The events carry them; `evolve` notes them. */
export function nextIds(tables: TableReader, kind: IdKind, count = 1): readonly number[] {
  const last = readCounter(tables, `id:${kind}`);
  return Array.from({ length: count }, (_, index) => last + 1 + index);
}

/** For `evolve`: an event used this id; it is never given again. */
export function noteId(tables: Tables, kind: IdKind, id: number): void {
  if (kind === "chunk" && isPlanted("chunkIdReused")) return;
  if (id > readCounter(tables, `id:${kind}`)) tables.set(counterTable, [`id:${kind}`], { value: id });
}

/** Adds to the usage of an account and of the cluster. */
export function addToUsage(
  tables: Tables,
  ownerId: number,
  change: { readonly files: number; readonly bytes: number },
): void {
  for (const key of [ownerId, 0]) {
    const usage = tables.get(usageTable, [key]) ?? { fileCount: 0, bytes: 0 };
    const next = { fileCount: usage.fileCount + change.files, bytes: usage.bytes + change.bytes };
    assert(next.fileCount >= 0 && next.bytes >= 0, "usage is never negative");
    tables.set(usageTable, [key], next);
  }
}
