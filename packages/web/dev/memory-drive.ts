import { create } from "@bufbuild/protobuf";
import { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import { ChangeSchema, type Change } from "@holdfast/proto/master/v1/master";
import { EntryKind, EntrySchema, type Entry } from "@holdfast/proto/model/v1/model";
import { Refusal } from "./refusal.ts";

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Folders first, then names with numbers in order. */
function compare(left: Entry, right: Entry): number {
  if (left.kind !== right.kind) return left.kind === EntryKind.FOLDER ? -1 : 1;
  return collator.compare(left.name, right.name) || (left.name < right.name ? -1 : 1);
}

/** What one call changed, at one log index. */
export interface LoggedChange {
  readonly index: number;
  readonly changes: readonly Change[];
}

/** One account's files in memory, with the change feed; the test double of everything behind the gateway. */
export class MemoryDrive {
  readonly rootId = 1n;
  readonly entries = new Map<bigint, Entry>();
  readonly bytes = new Map<bigint, Uint8Array>();
  readonly log: LoggedChange[] = [];
  index = 10;
  readonly #children = new Map<bigint, Entry[]>();
  readonly #listeners = new Set<() => void>();
  #nextId = 2n;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    const at = BigInt(nowMs());
    this.entries.set(
      1n,
      create(EntrySchema, {
        entryId: 1n,
        kind: EntryKind.FOLDER,
        ownerId: 1n,
        createdAtMs: at,
        modifiedAtMs: at,
        revision: 1n,
      }),
    );
    this.#children.set(1n, []);
  }

  /** Called after every change. The returned function stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get(id: bigint): Entry {
    const entry = this.entries.get(id === 0n ? 1n : id);
    if (entry === undefined) throw new Refusal("notFound", "This file or folder is not there any more.");
    return entry;
  }

  ancestors(entry: Entry): Entry[] {
    const found: Entry[] = [];
    for (let id = entry.parentId; id !== 0n;) {
      const parent = this.entries.get(id);
      if (parent === undefined) break;
      found.unshift(parent);
      id = parent.parentId;
    }
    return found;
  }

  children(id: bigint): readonly Entry[] {
    return this.#children.get(id === 0n ? 1n : id) ?? [];
  }

  trash(): Entry[] {
    return [...this.entries.values()]
      .filter((entry) => entry.trashedAtMs > 0n)
      .sort((left, right) => Number(right.trashedAtMs - left.trashedAtMs));
  }

  createFolder(parentId: bigint, name: string, isKept: boolean): Entry {
    const existing = this.#find(parentId, name);
    if (existing !== undefined && isKept && existing.kind === EntryKind.FOLDER) return existing;
    const entry = this.#make(parentId, { name, kind: EntryKind.FOLDER, conflict: ConflictPolicy.FAIL });
    this.#children.set(entry.entryId, []);
    this.#publish([changed(entry, 0n)]);
    return entry;
  }

  createFile(
    parentId: bigint,
    name: string,
    file: { readonly bytes: Uint8Array; readonly conflict: ConflictPolicy; readonly sizeBytes?: number },
  ): Entry {
    const existing = this.#find(parentId, name);
    const sizeBytes = BigInt(file.sizeBytes ?? file.bytes.length);
    if (existing !== undefined && file.conflict === ConflictPolicy.REPLACE && existing.kind === EntryKind.FILE) {
      const replaced = this.#put({ ...existing, sizeBytes, modifiedAtMs: BigInt(this.#nowMs()) }, existing.parentId);
      this.bytes.set(replaced.entryId, file.bytes);
      this.#publish([changed(replaced, replaced.parentId)]);
      return replaced;
    }
    const entry = this.#make(parentId, { name, kind: EntryKind.FILE, sizeBytes, conflict: file.conflict });
    this.bytes.set(entry.entryId, file.bytes);
    this.#publish([changed(entry, 0n)]);
    return entry;
  }

  /** Refuses like a later `createFile` would. */
  checkName(parentId: bigint, name: string, conflict: ConflictPolicy): void {
    this.get(parentId);
    if (name === "" || name.includes("/") || name.includes("\0") || Buffer.byteLength(name) > 255) {
      throw new Refusal(
        "invalidArgument",
        `The name "${name.slice(0, 40)}" cannot be used. Nothing was changed. Names have 1 to 255 bytes and no "/".`,
      );
    }
    if (
      conflict !== ConflictPolicy.KEEP_BOTH &&
      conflict !== ConflictPolicy.REPLACE &&
      this.#find(parentId, name) !== undefined
    ) {
      throw new Refusal("nameTaken", `"${name}" is already in this folder. Nothing was changed.`);
    }
  }

  move(id: bigint, targetParentId: bigint, targetName: string, conflict: ConflictPolicy): Entry {
    const entry = this.get(id);
    const sourceId = entry.parentId;
    const parentId = targetParentId === 0n ? sourceId : targetParentId;
    const target = this.get(parentId);
    if ([...this.ancestors(target), target].some((one) => one.entryId === id)) {
      throw new Refusal("wouldCycle", `"${entry.name}" cannot go into itself. Nothing was moved.`);
    }
    let name = targetName === "" ? entry.name : targetName;
    const existing = this.#find(parentId, name);
    if (existing !== undefined && existing.entryId !== id) {
      if (conflict !== ConflictPolicy.KEEP_BOTH) this.checkName(parentId, name, conflict);
      name = this.#freeName(parentId, name);
    } else this.checkName(parentId, name, ConflictPolicy.KEEP_BOTH);
    const moved = this.#put({ ...entry, name, parentId, modifiedAtMs: BigInt(this.#nowMs()) }, sourceId);
    this.#publish([changed(moved, sourceId)]);
    return moved;
  }

  moveToTrash(id: bigint): void {
    const entry = this.get(id);
    if (entry.trashedAtMs > 0n) return;
    const sourceId = entry.parentId;
    this.#put({ ...entry, trashedAtMs: BigInt(this.#nowMs()), originParentId: sourceId, parentId: 0n }, sourceId);
    this.#publish([
      create(ChangeSchema, { change: { case: "entryGone", value: { entryId: id, parentId: sourceId, ownerId: 1n } } }),
    ]);
  }

  restore(id: bigint): Entry {
    const entry = this.get(id);
    const parentId = this.entries.has(entry.originParentId) ? entry.originParentId : 1n;
    if (this.#find(parentId, entry.name) !== undefined)
      throw new Refusal("nameTaken", `"${entry.name}" is already in its old folder. It stays in the trash.`);
    const restored = this.#put({ ...entry, parentId, trashedAtMs: 0n, originParentId: 0n }, 0n);
    this.#publish([changed(restored, 0n)]);
    return restored;
  }

  purge(id: bigint): void {
    const entry = this.get(id);
    for (const child of [...this.children(id)]) this.purge(child.entryId);
    this.#detach(entry.parentId, entry);
    this.entries.delete(id);
    this.bytes.delete(id);
    this.#publish([
      create(ChangeSchema, {
        change: { case: "entryGone", value: { entryId: id, parentId: entry.parentId, ownerId: 1n } },
      }),
    ]);
  }

  /** Many files at once, without one change each. */
  seedFiles(parentId: bigint, names: readonly string[]): void {
    const list = this.#children.get(parentId) ?? [];
    const now = this.#nowMs();
    for (const [position, name] of names.entries()) {
      const entryId = this.#nextId++;
      const entry = create(EntrySchema, {
        entryId,
        parentId,
        name,
        kind: EntryKind.FILE,
        ownerId: 1n,
        sizeBytes: BigInt((position * 7919) % 9_000_000),
        createdAtMs: BigInt(now - position * 61_000),
        modifiedAtMs: BigInt(now - position * 61_000),
        revision: BigInt(this.index),
      });
      this.entries.set(entryId, entry);
      list.push(entry);
    }
    list.sort(compare);
    this.#children.set(parentId, list);
    this.#recount(parentId);
  }

  #make(
    parentId: bigint,
    file: {
      readonly name: string;
      readonly kind: EntryKind;
      readonly sizeBytes?: bigint;
      readonly conflict: ConflictPolicy;
    },
  ): Entry {
    const parent = this.get(parentId);
    this.checkName(parent.entryId, file.name, file.conflict);
    const name =
      this.#find(parent.entryId, file.name) === undefined ? file.name : this.#freeName(parent.entryId, file.name);
    const at = BigInt(this.#nowMs());
    const entryId = this.#nextId++;
    return this.#put(
      create(EntrySchema, {
        entryId,
        parentId: parent.entryId,
        name,
        kind: file.kind,
        ownerId: 1n,
        sizeBytes: file.sizeBytes ?? 0n,
        createdAtMs: at,
        modifiedAtMs: at,
      }),
      0n,
    );
  }

  #put(next: Entry, sourceId: bigint): Entry {
    this.index += 1;
    const entry = create(EntrySchema, { ...next, revision: BigInt(this.index) });
    const before = this.entries.get(entry.entryId);
    if (before !== undefined) this.#detach(sourceId, before);
    this.entries.set(entry.entryId, entry);
    const siblings = this.#children.get(entry.parentId);
    if (siblings !== undefined) {
      let low = 0;
      for (let high = siblings.length; low < high;) {
        const middle = (low + high) >> 1;
        if (compare(siblings[middle] as Entry, entry) < 0) low = middle + 1;
        else high = middle;
      }
      siblings.splice(low, 0, entry);
      this.#recount(entry.parentId);
    }
    return entry;
  }

  #detach(parentId: bigint, entry: Entry): void {
    const siblings = this.#children.get(parentId);
    const position = siblings?.findIndex((one) => one.entryId === entry.entryId) ?? -1;
    if (position >= 0) siblings?.splice(position, 1);
    this.#recount(parentId);
  }

  #recount(parentId: bigint): void {
    const parent = this.entries.get(parentId);
    if (parent !== undefined) parent.childCount = this.#children.get(parentId)?.length ?? 0;
  }

  #find(parentId: bigint, name: string): Entry | undefined {
    return this.children(parentId).find((entry) => entry.name === name);
  }

  #freeName(parentId: bigint, name: string): string {
    const dot = name.lastIndexOf(".");
    const [stem, extension] = dot <= 0 ? [name, ""] : [name.slice(0, dot), name.slice(dot)];
    for (let number = 2; ; number++) {
      const candidate = `${stem} (${number})${extension}`;
      if (this.#find(parentId, candidate) === undefined) return candidate;
    }
  }

  #publish(changes: readonly Change[]): void {
    this.log.push({ index: this.index, changes });
    for (const listener of this.#listeners) listener();
  }
}

function changed(entry: Entry, sourceParentId: bigint): Change {
  return create(ChangeSchema, { change: { case: "entry", value: { entry, sourceParentId } } });
}
