import { must } from "@holdfast/base";
import { ByteReader } from "./codec/byte-reader.ts";
import { ByteWriter } from "./codec/byte-writer.ts";
import { idPart, uint32Part, uint8Part } from "./codec/key-codec.ts";
import { rawBytes } from "./codec/value-codec.ts";
import {
  childAt,
  childFor,
  childItem,
  childLowest,
  emptyNode,
  isKeyAt,
  isLeaf,
  itemCount,
  keyCount,
  leafKey,
  lowerBound,
  nodeItemsMax,
  splitNode,
  withChildCount,
  withItem,
  withoutItem,
  type NodeBytes,
} from "./ordered-node.ts";
import { defineTable, type TableReader, type Tables } from "./tables.ts";

/**
 * Ordered sets of byte keys, as counted B+ trees over gets and sets: what `evolve` may not do with ranges. Any page of
 * a set, by offset or behind a key, costs one get a level (three for 100,000 keys), and is read at one instant.
 * A set is named by (family, group): (children, folder id), (trash, owner id) and so on. Its root is node 0; a set
 * without keys has no node. Nodes that become empty are removed; nodes are not merged, so a set that shrank may be
 * sparse but never unbalanced in height. Deterministic: the same changes in the same order give the same nodes.
 */
export interface OrderedSet {
  readonly family: number;
  readonly group: number;
}

/** Families of ordered sets, append-only. */
export const orderedFamily = {
  children: 1,
  trash: 2,
  sessionsOfUser: 3,
  users: 4,
  uploadExpiry: 5,
  purging: 6,
  sessionExpiry: 7,
  copySetsOfNode: 8,
} as const;

const rootNumber = 0;
const noBytes = new Uint8Array(0);

/** Key: family, group, node number; values by `ordered-node.ts`. */
export const orderedNodeTable = defineTable({
  name: "orderedNode",
  tag: 0x05,
  keyParts: [uint8Part, idPart, uint32Part],
  value: rawBytes,
});

/** Highest node number of a set that has more than a root; key: family, group. */
export const orderedCursorTable = defineTable({
  name: "orderedCursor",
  tag: 0x06,
  keyParts: [uint8Part, idPart],
  value: {
    encode: (value: number) => {
      const writer = new ByteWriter(8);
      writer.varint(value);
      return writer.take();
    },
    decode: (bytes: Uint8Array) => new ByteReader(bytes).varint(),
  },
});

/** How many keys are in the set. */
export function orderedCount(tables: TableReader, set: OrderedSet): number {
  const root = readNode(tables, set, rootNumber);
  return root === undefined ? 0 : keyCount(root);
}

/** Adds a key; false when it was there. */
export function orderedInsert(tables: Tables, set: OrderedSet, key: Uint8Array): boolean {
  const root = readNode(tables, set, rootNumber) ?? emptyNode("leaf");
  const change = insertBelow(tables, set, { number: rootNumber, node: root, key });
  if (change === undefined) return false;
  if (change.right === undefined) return true;
  const left = must(readNode(tables, set, rootNumber), "a root that was split is there");
  const leftNumber = takeNumber(tables, set);
  writeNode(tables, set, { number: leftNumber, node: left });
  const leftItem = childItem({ node: leftNumber, count: keyCount(left), lowest: noBytes });
  const above = withItem(withItem(emptyNode("inner"), 0, leftItem), 1, childItem(change.right));
  writeNode(tables, set, { number: rootNumber, node: above });
  return true;
}

/** Removes a key; false when it was not there. */
export function orderedRemove(tables: Tables, set: OrderedSet, key: Uint8Array): boolean {
  const root = readNode(tables, set, rootNumber);
  if (root === undefined) return false;
  const result = removeBelow(tables, set, { number: rootNumber, node: root, key });
  if (result === "emptied") tables.delete(orderedCursorTable, [set.family, set.group]);
  return result !== "absent";
}

/** Whether the key is in the set. */
export function orderedHas(tables: TableReader, set: OrderedSet, key: Uint8Array): boolean {
  let node = readNode(tables, set, rootNumber);
  while (node !== undefined && !isLeaf(node)) node = readNode(tables, set, childAt(node, childFor(node, key)).node);
  return node !== undefined && isKeyAt(node, lowerBound(node, key), key);
}

/** How many keys sort before this one. */
export function orderedRank(tables: TableReader, set: OrderedSet, key: Uint8Array): number {
  let node = readNode(tables, set, rootNumber);
  let rank = 0;
  while (node !== undefined && !isLeaf(node)) {
    const position = childFor(node, key);
    for (let before = 0; before < position; before++) rank += childAt(node, before).count;
    node = readNode(tables, set, childAt(node, position).node);
  }
  return node === undefined ? 0 : rank + lowerBound(node, key);
}

/** Keys in order, at most `limit`, from the key at `offset`. */
export function orderedPage(
  tables: TableReader,
  set: OrderedSet,
  page: { readonly offset: number; readonly limit: number },
): readonly Uint8Array[] {
  const keys: Uint8Array[] = [];
  collect(tables, set, { number: rootNumber, skip: page.offset, limit: page.limit, keys });
  return keys;
}

/** Keys in order, at most `limit`, that sort behind `key` (which need not be in the set). */
export function orderedPageAfter(
  tables: TableReader,
  set: OrderedSet,
  page: { readonly key: Uint8Array; readonly limit: number },
): readonly Uint8Array[] {
  const rank = orderedRank(tables, set, page.key);
  const skip = orderedHas(tables, set, page.key) ? 1 : 0;
  return orderedPage(tables, set, { offset: rank + skip, limit: page.limit });
}

interface Walk {
  readonly number: number;
  readonly skip: number;
  readonly limit: number;
  readonly keys: Uint8Array[];
}

function collect(tables: TableReader, set: OrderedSet, walk: Walk): void {
  const node = readNode(tables, set, walk.number);
  if (node === undefined) return;
  const count = itemCount(node);
  let skip = walk.skip;
  if (isLeaf(node)) {
    // Copies: a view would keep the whole node alive as long as its key.
    for (let at = skip; at < count && walk.keys.length < walk.limit; at++) walk.keys.push(leafKey(node, at).slice());
    return;
  }
  for (let at = 0; at < count && walk.keys.length < walk.limit; at++) {
    const child = childAt(node, at);
    if (skip >= child.count) {
      skip -= child.count;
      continue;
    }
    collect(tables, set, { ...walk, number: child.node, skip });
    skip = 0;
  }
}

interface Visit {
  readonly number: number;
  readonly node: NodeBytes;
  readonly key: Uint8Array;
}

interface NewChild {
  readonly node: number;
  readonly count: number;
  readonly lowest: Uint8Array;
}

/** Undefined when the key was there; `right` when the node was split: its new neighbour. */
type InsertChange = { readonly right: NewChild | undefined } | undefined;

function insertBelow(tables: Tables, set: OrderedSet, visit: Visit): InsertChange {
  const { node, number, key } = visit;
  if (isLeaf(node)) {
    const position = lowerBound(node, key);
    if (isKeyAt(node, position, key)) return undefined;
    return store(tables, set, { number, node: withItem(node, position, key), position });
  }
  const position = childFor(node, key);
  const child = childAt(node, position);
  const below = must(readNode(tables, set, child.node), "a child that a node names is there");
  const change = insertBelow(tables, set, { number: child.node, node: below, key });
  if (change === undefined) return undefined;
  const { right } = change;
  const counted = withChildCount(node, position, child.count + 1 - (right?.count ?? 0));
  if (right === undefined) return store(tables, set, { number, node: counted, position });
  const grown = withItem(counted, position + 1, childItem(right));
  return store(tables, set, { number, node: grown, position: position + 1 });
}

/** Writes a node that got an item at `position`, in two when it is too large. */
function store(
  tables: Tables,
  set: OrderedSet,
  change: { readonly number: number; readonly node: NodeBytes; readonly position: number },
): InsertChange {
  const { number, node, position } = change;
  const count = itemCount(node);
  if (count <= nodeItemsMax) {
    writeNode(tables, set, { number, node });
    return { right: undefined };
  }
  // Names often arrive in order: then the full node stays full and the new one begins with the new item.
  const { left, right } = splitNode(node, position === count - 1 ? position : Math.floor(count / 2));
  writeNode(tables, set, { number, node: left });
  const rightNumber = takeNumber(tables, set);
  writeNode(tables, set, { number: rightNumber, node: right });
  const lowest = (isLeaf(right) ? leafKey(right, 0) : childLowest(right, 0)).slice();
  return { right: { node: rightNumber, count: keyCount(right), lowest } };
}

function removeBelow(tables: Tables, set: OrderedSet, visit: Visit): "absent" | "removed" | "emptied" {
  const { node, number, key } = visit;
  if (isLeaf(node)) {
    const position = lowerBound(node, key);
    if (!isKeyAt(node, position, key)) return "absent";
    return shrink(tables, set, { number, node: withoutItem(node, position) });
  }
  const position = childFor(node, key);
  const child = childAt(node, position);
  const below = must(readNode(tables, set, child.node), "a child that a node names is there");
  const result = removeBelow(tables, set, { number: child.node, node: below, key });
  if (result === "absent") return result;
  const rest = result === "emptied" ? withoutItem(node, position) : withChildCount(node, position, child.count - 1);
  return shrink(tables, set, { number, node: rest });
}

function shrink(tables: Tables, set: OrderedSet, change: { number: number; node: NodeBytes }): "removed" | "emptied" {
  if (itemCount(change.node) > 0) {
    writeNode(tables, set, change);
    return "removed";
  }
  tables.delete(orderedNodeTable, [set.family, set.group, change.number]);
  return "emptied";
}

function takeNumber(tables: Tables, set: OrderedSet): number {
  const number = (tables.get(orderedCursorTable, [set.family, set.group]) ?? 0) + 1;
  tables.set(orderedCursorTable, [set.family, set.group], number);
  return number;
}

function readNode(tables: TableReader, set: OrderedSet, number: number): NodeBytes | undefined {
  return tables.get(orderedNodeTable, [set.family, set.group, number]);
}

function writeNode(tables: Tables, set: OrderedSet, change: { number: number; node: NodeBytes }): void {
  tables.set(orderedNodeTable, [set.family, set.group, change.number], change.node);
}
