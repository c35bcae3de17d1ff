import { textPart, uint32Part } from "../codec/key-codec.ts";
import { flag, record, remembered, text, uint } from "../codec/value-codec.ts";
import { readCounter } from "../state.ts";
import { defineTable, type TableReader } from "../tables.ts";

/** What a node is ordered to do; the numbers of `holdfast.model.v1.Intent`. */
export const nodeIntent = { active: 1, draining: 2, drained: 3, maintenance: 4, removed: 5, failed: 6 } as const;

/** A chunkserver as the log knows it. What is only observed (liveness, load, free bytes) is not here. */
export interface NodeRow {
  readonly nodeId: number;
  readonly nodeUuid: string;
  readonly name: string;
  readonly address: string;
  readonly ip: string;
  readonly mac: string;
  readonly capacityBytes: number;
  readonly zone: string;
  /** One of `nodeIntent`. */
  readonly intent: number;
  /** A NodeDown without a NodeUp after it: its copies do not count. */
  readonly isDown: boolean;
  readonly downReason: string;
  /** Leader time of the last NodeJoined, NodeDown or NodeUp. */
  readonly changedAtMs: number;
  readonly rack: string;
  /** The join token that let it in; 0 = none. */
  readonly joinTokenId: number;
}

/** Nodes by id. */
export const nodeTable = defineTable({
  name: "node",
  tag: 0x30,
  keyParts: [uint32Part],
  value: remembered(
    record<NodeRow>({
      nodeId: uint,
      nodeUuid: text,
      name: text,
      address: text,
      ip: text,
      mac: text,
      capacityBytes: uint,
      zone: text,
      intent: uint,
      isDown: flag,
      downReason: text,
      changedAtMs: uint,
      rack: text,
      joinTokenId: uint,
    }),
  ),
});

/** Node ids by the identity in the node's own directory. */
export const nodeByUuidTable = defineTable({
  name: "nodeByUuid",
  tag: 0x31,
  keyParts: [textPart],
  value: record<{ readonly nodeId: number }>({ nodeId: uint }),
});

/** Node ids by name. */
export const nodeByNameTable = defineTable({
  name: "nodeByName",
  tag: 0x32,
  keyParts: [textPart],
  value: record<{ readonly nodeId: number }>({ nodeId: uint }),
});

/** All nodes that ever joined and were not removed, by id. */
export function listNodes(tables: TableReader): readonly NodeRow[] {
  return listAllNodes(tables).filter((row) => row.intent !== nodeIntent.removed);
}

/** All nodes that ever joined, removed ones too, by id. */
export function listAllNodes(tables: TableReader): readonly NodeRow[] {
  const lastId = readCounter(tables, "id:node");
  const rows: NodeRow[] = [];
  for (let nodeId = 1; nodeId <= lastId; nodeId++) {
    const row = tables.get(nodeTable, [nodeId]);
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

/** What an administrator ordered a node to do, while its intent is not simply active. */
export interface NodeOrderRow {
  /** In the administrator's words. */
  readonly reason: string;
  /** Leader time. */
  readonly sinceMs: number;
  /** Of maintenance: leader time; else 0. */
  readonly endsAtMs: number;
  /** Of a drain: copies on it when it began. */
  readonly copiesTotal: number;
  readonly actor: string;
}

/** Orders by node; no row for active nodes. */
export const nodeOrderTable = defineTable({
  name: "nodeOrder",
  tag: 0x33,
  keyParts: [uint32Part],
  value: record<NodeOrderRow>({ reason: text, sinceMs: uint, endsAtMs: uint, copiesTotal: uint, actor: text }),
});
