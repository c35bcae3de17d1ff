import { assert, compareBytes, must } from "@holdfast/base";
import { ByteReader } from "./codec/byte-reader.ts";
import { ByteWriter } from "./codec/byte-writer.ts";
import { idPart, uint32Part, uint8Part } from "./codec/key-codec.ts";
import type { ValueCodec } from "./codec/value-codec.ts";
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
export const orderedFamily = { children: 1, trash: 2, sessionsOfUser: 3, users: 4, uploadExpiry: 5, purging: 6, sessionExpiry: 7 } as const;

const leafKeysMax = 64;
const innerChildrenMax = 64;
const rootNumber = 0;

interface Leaf {
  readonly isLeaf: true;
  readonly keys: readonly Uint8Array[];
}
interface Child {
  readonly node: number;
  readonly count: number;
  /** No key below is smaller; the first child's is never looked at. */
  readonly lowest: Uint8Array;
}
interface Inner {
  readonly isLeaf: false;
  readonly children: readonly Child[];
}
type Node = Leaf | Inner;

const nodeCodec: ValueCodec<Node> = {
  encode: (node) => {
    const writer = new ByteWriter(2048);
    writer.byte(node.isLeaf ? 0 : 1);
    writer.varint(node.isLeaf ? node.keys.length : node.children.length);
    if (node.isLeaf) {
      for (const key of node.keys) {
        writer.varint(key.length);
        writer.bytes(key);
      }
      return writer.take();
    }
    for (const child of node.children) {
      writer.varint(child.node);
      writer.varint(child.count);
      writer.varint(child.lowest.length);
      writer.bytes(child.lowest);
    }
    return writer.take();
  },
  decode: (bytes) => {
    const reader = new ByteReader(bytes);
    const isLeaf = reader.byte() === 0;
    const length = reader.varint();
    if (isLeaf) {
      return { isLeaf, keys: Array.from({ length }, () => reader.bytes(reader.varint())) };
    }
    const children = Array.from({ length }, () => ({
      node: reader.varint(),
      count: reader.varint(),
      lowest: reader.bytes(reader.varint()),
    }));
    return { isLeaf, children };
  },
};

/** Key: family, group, node number. */
export const orderedNodeTable = defineTable({
  name: "orderedNode",
  tag: 0x05,
  keyParts: [uint8Part, idPart, uint32Part],
  value: nodeCodec,
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
  return root === undefined ? 0 : countOf(root);
}

/** Adds a key; false when it was there. */
export function orderedInsert(tables: Tables, set: OrderedSet, key: Uint8Array): boolean {
  const root = readNode(tables, set, rootNumber);
  if (root === undefined) {
    writeNode(tables, set, { number: rootNumber, node: { isLeaf: true, keys: [key] } });
    return true;
  }
  const change = insertBelow(tables, set, { number: rootNumber, node: root, key });
  if (change === undefined) return false;
  if (change.right === undefined) return true;
  const left = must(readNode(tables, set, rootNumber), "a root that was split is there");
  const leftNumber = takeNumber(tables, set);
  writeNode(tables, set, { number: leftNumber, node: left });
  const children = [{ node: leftNumber, count: countOf(left), lowest: new Uint8Array(0) }, change.right];
  writeNode(tables, set, { number: rootNumber, node: { isLeaf: false, children } });
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
  const found = orderedPage(tables, set, { offset: orderedRank(tables, set, key), limit: 1 })[0];
  return found !== undefined && compareBytes(found, key) === 0;
}

/** How many keys sort before this one. */
export function orderedRank(tables: TableReader, set: OrderedSet, key: Uint8Array): number {
  let node = readNode(tables, set, rootNumber);
  let rank = 0;
  while (node !== undefined && !node.isLeaf) {
    const position = childFor(node.children, key);
    for (const child of node.children.slice(0, position)) rank += child.count;
    node = readNode(tables, set, must(node.children[position], "an inner node has children").node);
  }
  return node === undefined ? 0 : rank + lowerBound(node.keys, key);
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
  const keys = orderedPage(tables, set, { offset: rank, limit: page.limit + 1 });
  const first = keys[0];
  return first !== undefined && compareBytes(first, page.key) === 0 ? keys.slice(1) : keys.slice(0, page.limit);
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
  if (node.isLeaf) {
    for (const key of node.keys.slice(walk.skip, walk.skip + walk.limit - walk.keys.length)) walk.keys.push(key);
    return;
  }
  let skip = walk.skip;
  for (const child of node.children) {
    if (walk.keys.length >= walk.limit) return;
    if (skip >= child.count) {
      skip -= child.count;
      continue;
    }
    collect(tables, set, { ...walk, number: child.node, skip });
    skip = 0;
  }
}

interface Visit<N extends Node = Node> {
  readonly number: number;
  readonly node: N;
  readonly key: Uint8Array;
}

/** Undefined when the key was there; `right` when the node was split: its new neighbour. */
type InsertChange = { readonly right: Child | undefined } | undefined;

function insertBelow(tables: Tables, set: OrderedSet, visit: Visit): InsertChange {
  const { node } = visit;
  if (node.isLeaf) return insertIntoLeaf(tables, set, { ...visit, node });
  const position = childFor(node.children, visit.key);
  const child = must(node.children[position], "an inner node has children");
  const below = must(readNode(tables, set, child.node), "a child that a node names is there");
  const change = insertBelow(tables, set, { number: child.node, node: below, key: visit.key });
  if (change === undefined) return undefined;
  const children = [...node.children];
  const { right } = change;
  children[position] = { ...child, count: child.count + 1 - (right?.count ?? 0) };
  if (right !== undefined) children.splice(position + 1, 0, right);
  if (children.length <= innerChildrenMax) {
    writeNode(tables, set, { number: visit.number, node: { isLeaf: false, children } });
    return { right: undefined };
  }
  const at = position + 2 >= children.length ? children.length - 2 : Math.floor(children.length / 2);
  const moved = children.slice(at);
  writeNode(tables, set, { number: visit.number, node: { isLeaf: false, children: children.slice(0, at) } });
  const lowest = must(moved[0], "a split moves at least one child").lowest;
  return { right: writeRight(tables, set, { node: { isLeaf: false, children: moved }, lowest }) };
}

function insertIntoLeaf(tables: Tables, set: OrderedSet, visit: Visit<Leaf>): InsertChange {
  const position = lowerBound(visit.node.keys, visit.key);
  const present = visit.node.keys[position];
  if (present !== undefined && compareBytes(present, visit.key) === 0) return undefined;
  const keys = [...visit.node.keys];
  keys.splice(position, 0, visit.key);
  if (keys.length <= leafKeysMax) {
    writeNode(tables, set, { number: visit.number, node: { isLeaf: true, keys } });
    return { right: undefined };
  }
  // Names often arrive in order: then the full leaf stays full and the new one begins with the new key.
  const at = position === keys.length - 1 ? position : Math.floor(keys.length / 2);
  const moved = keys.slice(at);
  writeNode(tables, set, { number: visit.number, node: { isLeaf: true, keys: keys.slice(0, at) } });
  const lowest = must(moved[0], "a split moves at least one key");
  return { right: writeRight(tables, set, { node: { isLeaf: true, keys: moved }, lowest }) };
}

function removeBelow(tables: Tables, set: OrderedSet, visit: Visit): "absent" | "removed" | "emptied" {
  const { node, number, key } = visit;
  if (node.isLeaf) {
    const position = lowerBound(node.keys, key);
    const present = node.keys[position];
    if (present === undefined || compareBytes(present, key) !== 0) return "absent";
    return rewrite(tables, set, { number, node: { isLeaf: true, keys: node.keys.toSpliced(position, 1) } });
  }
  const position = childFor(node.children, key);
  const child = must(node.children[position], "an inner node has children");
  const below = must(readNode(tables, set, child.node), "a child that a node names is there");
  const result = removeBelow(tables, set, { number: child.node, node: below, key });
  if (result === "absent") return result;
  const children =
    result === "emptied"
      ? node.children.toSpliced(position, 1)
      : node.children.with(position, { ...child, count: child.count - 1 });
  return rewrite(tables, set, { number, node: { isLeaf: false, children } });
}

function rewrite(tables: Tables, set: OrderedSet, change: { number: number; node: Node }): "removed" | "emptied" {
  const { number, node } = change;
  if ((node.isLeaf ? node.keys.length : node.children.length) > 0) {
    writeNode(tables, set, change);
    return "removed";
  }
  tables.delete(orderedNodeTable, [set.family, set.group, number]);
  return "emptied";
}

function writeRight(tables: Tables, set: OrderedSet, right: { node: Node; lowest: Uint8Array }): Child {
  const number = takeNumber(tables, set);
  writeNode(tables, set, { number, node: right.node });
  return { node: number, count: countOf(right.node), lowest: right.lowest };
}

function takeNumber(tables: Tables, set: OrderedSet): number {
  const number = (tables.get(orderedCursorTable, [set.family, set.group]) ?? 0) + 1;
  tables.set(orderedCursorTable, [set.family, set.group], number);
  return number;
}

function readNode(tables: TableReader, set: OrderedSet, number: number): Node | undefined {
  return tables.get(orderedNodeTable, [set.family, set.group, number]);
}

function writeNode(tables: Tables, set: OrderedSet, change: { number: number; node: Node }): void {
  tables.set(orderedNodeTable, [set.family, set.group, change.number], change.node);
}

function countOf(node: Node): number {
  if (node.isLeaf) return node.keys.length;
  let count = 0;
  for (const child of node.children) count += child.count;
  return count;
}

function lowerBound(keys: readonly Uint8Array[], key: Uint8Array): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareBytes(must(keys[middle], "a position inside a list"), key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The child whose range holds the key: the last whose lowest key is not greater; the first when all are. */
function childFor(children: readonly Child[], key: Uint8Array): number {
  assert(children.length > 0, "an inner node has children");
  let low = 1;
  let high = children.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareBytes(must(children[middle], "a position inside a list").lowest, key) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
