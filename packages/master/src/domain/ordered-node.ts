import { assert, isPlanted } from "@holdfast/base";

/**
 * One node of an ordered set as bytes, read and changed in place of being parsed: an insertion is two copies, whatever
 * the node holds. Layout, big-endian: kind (1: 0 leaf, 1 inner), items (2), then where each item ends, counted from the
 * first item's start (2 each), then the items. A leaf's item is a key. An inner node's item is a child: node number (4),
 * keys below it (4), and the lowest key that may be below it. Nodes are never changed, only replaced.
 */
export type NodeBytes = Uint8Array;

/** Items of a node at most; a change may make one more, and then the node is split. */
export const nodeItemsMax = 64;
const headerBytes = 3;
const childHeaderBytes = 8;
/** Bytes of all items that the two-byte ends can say. */
const itemsBytesMax = 0xffff;

/** A leaf without keys, or an inner node without children. */
export function emptyNode(kind: "leaf" | "inner"): NodeBytes {
  return Uint8Array.of(kind === "leaf" ? 0 : 1, 0, 0);
}

/** Holds keys; else children. */
export function isLeaf(node: NodeBytes): boolean {
  return node[0] === 0;
}

/** Keys or children in the node. */
export function itemCount(node: NodeBytes): number {
  return read16(node, 1);
}

/** A leaf's key, as a view of the node. */
export function leafKey(node: NodeBytes, position: number): Uint8Array {
  return node.subarray(itemStart(node, position), itemEnd(node, position));
}

/** An inner node's child. */
export function childAt(node: NodeBytes, position: number): { readonly node: number; readonly count: number } {
  const start = itemStart(node, position);
  return { node: read32(node, start), count: read32(node, start + 4) };
}

/** The lowest key that may be below a child, as a view of the node. */
export function childLowest(node: NodeBytes, position: number): Uint8Array {
  return node.subarray(itemStart(node, position) + childHeaderBytes, itemEnd(node, position));
}

/** A child as an item. */
export function childItem(child: {
  readonly node: number;
  readonly count: number;
  readonly lowest: Uint8Array;
}): Uint8Array {
  const item = new Uint8Array(childHeaderBytes + child.lowest.length);
  write32(item, 0, child.node);
  write32(item, 4, child.count);
  item.set(child.lowest, childHeaderBytes);
  return item;
}

/** Keys in and below a node. */
export function keyCount(node: NodeBytes): number {
  const count = itemCount(node);
  if (isLeaf(node)) return count;
  let sum = 0;
  for (let position = 0; position < count; position++) sum += read32(node, itemStart(node, position) + 4);
  return sum;
}

/** Position of the first key of a leaf that is not less than `key`. */
export function lowerBound(node: NodeBytes, key: Uint8Array): number {
  let low = 0;
  let high = itemCount(node);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareAt(node, { start: itemStart(node, middle), end: itemEnd(node, middle) }, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether the leaf's key at a position is this one. */
export function isKeyAt(node: NodeBytes, position: number, key: Uint8Array): boolean {
  if (position >= itemCount(node)) return false;
  return compareAt(node, { start: itemStart(node, position), end: itemEnd(node, position) }, key) === 0;
}

/** Position of the child whose range holds the key: the last whose lowest key is not greater, the first when all are. */
export function childFor(node: NodeBytes, key: Uint8Array): number {
  let low = 1;
  let high = itemCount(node);
  while (low < high) {
    const middle = (low + high) >> 1;
    const start = itemStart(node, middle) + childHeaderBytes;
    if (compareAt(node, { start, end: itemEnd(node, middle) }, key) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The node with one more item. */
export function withItem(node: NodeBytes, position: number, item: Uint8Array): NodeBytes {
  const count = itemCount(node);
  const start = itemStart(node, position);
  const next = new Uint8Array(node.length + 2 + item.length);
  const shift = 2;
  next[0] = node[0] ?? 0;
  write16(next, 1, count + 1);
  next.set(node.subarray(headerBytes, headerBytes + 2 * position), headerBytes);
  const end = start - itemsStart(count) + item.length;
  write16(next, headerBytes + 2 * position, end);
  for (let at = position; at < count; at++)
    write16(next, headerBytes + 2 * (at + 1), itemEnd(node, at) - itemsStart(count) + item.length);
  next.set(node.subarray(itemsStart(count), start), itemsStart(count) + shift);
  next.set(item, start + shift);
  next.set(node.subarray(start), start + shift + item.length);
  assert(next.length - itemsStart(count + 1) <= itemsBytesMax, "a node's items fit two-byte ends");
  return next;
}

/** The node with one item less. */
export function withoutItem(node: NodeBytes, position: number): NodeBytes {
  const count = itemCount(node);
  const start = itemStart(node, position);
  const end = itemEnd(node, position);
  const next = new Uint8Array(node.length - 2 - (end - start));
  next[0] = node[0] ?? 0;
  write16(next, 1, count - 1);
  next.set(node.subarray(headerBytes, headerBytes + 2 * position), headerBytes);
  for (let at = position + 1; at < count; at++)
    write16(next, headerBytes + 2 * (at - 1), itemEnd(node, at) - itemsStart(count) - (end - start));
  next.set(node.subarray(itemsStart(count), start), itemsStart(count - 1));
  next.set(node.subarray(end), start - 2);
  return next;
}

/** The inner node with another number of keys below one child. */
export function withChildCount(node: NodeBytes, position: number, count: number): NodeBytes {
  const next = isPlanted("orderEditedInPlace") ? node : new Uint8Array(node);
  write32(next, itemStart(node, position) + 4, count);
  return next;
}

/** A node in two: the items before a position, and those from it on. */
export function splitNode(node: NodeBytes, position: number): { readonly left: NodeBytes; readonly right: NodeBytes } {
  return { left: part(node, 0, position), right: part(node, position, itemCount(node)) };
}

function part(node: NodeBytes, first: number, limit: number): NodeBytes {
  const count = itemCount(node);
  const start = itemStart(node, first);
  const end = limit === 0 ? start : itemEnd(node, limit - 1);
  const next = new Uint8Array(itemsStart(limit - first) + end - start);
  next[0] = node[0] ?? 0;
  write16(next, 1, limit - first);
  for (let at = first; at < limit; at++)
    write16(next, headerBytes + 2 * (at - first), itemEnd(node, at) - itemsStart(count) - (start - itemsStart(count)));
  next.set(node.subarray(start, end), itemsStart(limit - first));
  return next;
}

function itemsStart(count: number): number {
  return headerBytes + 2 * count;
}

function itemStart(node: NodeBytes, position: number): number {
  return position === 0 ? itemsStart(itemCount(node)) : itemEnd(node, position - 1);
}

function itemEnd(node: NodeBytes, position: number): number {
  return itemsStart(itemCount(node)) + read16(node, headerBytes + 2 * position);
}

function compareAt(node: NodeBytes, range: { readonly start: number; readonly end: number }, key: Uint8Array): number {
  const length = Math.min(range.end - range.start, key.length);
  for (let at = 0; at < length; at++) {
    const difference = (node[range.start + at] ?? 0) - (key[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return range.end - range.start - key.length;
}

function read16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function read32(bytes: Uint8Array, at: number): number {
  return read16(bytes, at) * 0x10000 + read16(bytes, at + 2);
}

function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}

function write32(bytes: Uint8Array, at: number, value: number): void {
  write16(bytes, at, Math.floor(value / 0x10000));
  write16(bytes, at + 2, value % 0x10000);
}
