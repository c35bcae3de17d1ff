import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldEntry } from "../application/fold-entry.ts";
import { Overlay } from "../application/overlay.ts";
import { WriteBuffer } from "../application/write-buffer.ts";
import { encodeBatch } from "../event-codec/event-codec.ts";
import {
  commitFile,
  createUser,
  DomainWorld,
  moveEntry,
  testChunkSizeBytes,
  writtenChunks,
} from "../testing/domain-world.ts";
import { MemoryView } from "../testing/memory-view.ts";
import type { CommandOutcome, DomainCommand, WrittenChunk } from "./commands.ts";
import { decide } from "./decide.ts";
import { evolveBatch } from "./evolve.ts";
import type { EventBatch } from "./events.ts";
import { chunkTable, garbageTable, isHeld } from "./chunks/tables.ts";
import { childSortKey } from "./namespace/collation.ts";
import { decideContinuePurge } from "./namespace/decide-trash.ts";
import {
  childrenSet,
  childTable,
  entryKind,
  entryTable,
  trashSet,
  versionTable,
  type EntryRecord,
} from "./namespace/state.ts";
import { orderedCount, orderedPage } from "./ordered-index.ts";
import { readCounter, usageTable } from "./state.ts";
import { parseTableKey, readerOf, tablesOf, type TableReader } from "./tables.ts";
import { newestFirstKey } from "./time-key.ts";
import { uploadPartTable, uploadTable } from "./uploads/state.ts";

const names = ["a", "b", "b (2)", "ü", "file 1.txt", "file 10.txt"];
const uploads = ["a".repeat(32), "b".repeat(32)];

/** A wish that is made concrete when its turn comes: most meet something that is there, some do not. */
type Wish = {
  readonly what: string;
  readonly user: number;
  readonly pick: number;
  readonly other: number;
  readonly name: string;
  readonly conflict: number;
};

const wish: fc.Arbitrary<Wish> = fc.noBias(
  fc.record({
    what: fc.constantFrom(
      ...["folder", "folder", "file", "file", "chunks", "move", "move", "move", "trash", "trash", "restore", "purge"],
      ...["start", "part", "part", "part", "commit", "commit", "abort", "continue"],
    ),
    user: fc.integer({ min: 1, max: 2 }),
    pick: fc.nat(1000),
    other: fc.nat(1000),
    name: fc.constantFrom(...names),
    conflict: fc.integer({ min: 0, max: 3 }),
  }),
);

/** An entry of the user's, the `pick`th from the latest in a circle; a folder only when one is needed. */
function choose(
  tables: TableReader,
  wanted: { readonly userId: number; readonly pick: number; readonly isFolder: boolean },
): number {
  const last = readCounter(tables, "id:entry");
  for (let step = 0; step < last; step++) {
    const entryId = 1 + ((wanted.pick + step) % last);
    const entry = tables.get(entryTable, [entryId]);
    if (entry?.ownerId === wanted.userId && (!wanted.isFolder || entry.kind === entryKind.folder)) return entryId;
  }
  return wanted.pick;
}

interface Stage {
  readonly tables: TableReader;
  readonly written: (lengthBytes: number) => readonly WrittenChunk[];
}

function commandOf(
  { tables, written }: Stage,
  { what, user: userId, pick, other, name, conflict }: Wish,
): DomainCommand | undefined {
  const uploadId = uploads[userId - 1] ?? "";
  const partSizeBytes = 2 * testChunkSizeBytes;
  const parentId = choose(tables, { userId, pick, isFolder: pick % 10 > 0 });
  const entryId = choose(tables, { userId: pick % 13 === 0 ? 3 - userId : userId, pick, isFolder: false });
  const targetParentId = choose(tables, { userId, pick: other, isFolder: true });
  switch (what) {
    case "folder":
      return { kind: "createFolder", userId, parentId, name, keepExisting: conflict === 2 };
    case "file":
      return commitFile({ userId, parentId, name, conflict, inlineContent: new Uint8Array(other), sizeBytes: other });
    case "chunks": {
      const sizeBytes = (other % 6) * 500 + 1;
      return commitFile({ userId, parentId, name, conflict, sizeBytes, chunks: written(sizeBytes) });
    }
    case "move":
      return moveEntry({ userId, entryId, targetParentId, targetName: conflict === 0 ? "" : name, conflict });
    case "trash":
      return { kind: "trashEntry", userId, entryId, onlyIfEmpty: conflict === 0 };
    case "restore":
      return { kind: "restoreEntry", userId, entryId, targetParentId: conflict === 0 ? targetParentId : 0 };
    case "purge":
      return { kind: "purgeEntry", userId, entryId };
    case "start":
      return { kind: "startUpload", uploadId, userId, parentId, name, sizeBytes: 0, partSizeBytes, conflict };
    case "part": {
      const lengthBytes = other % 3 === 0 ? partSizeBytes : 10;
      const sha256 = new Uint8Array(32).fill(pick % 256);
      return {
        kind: "storeUploadPart",
        uploadId,
        userId,
        part: other % 2,
        chunks: written(lengthBytes),
        lengthBytes,
        sha256,
      };
    }
    case "commit": {
      const sizeBytes = tables.get(uploadTable, [uploadId])?.storedBytes ?? 0;
      return { kind: "commitUpload", uploadId, userId, sizeBytes, sha256: new Uint8Array(0) };
    }
    case "abort":
      return { kind: "abortUpload", uploadId, userId };
    default:
      return undefined;
  }
}

function play(wishes: readonly Wish[]): DomainWorld {
  const world = new DomainWorld();
  world.user("ann@example.org");
  world.user("bob@example.org");
  for (const each of wishes) {
    const command = commandOf({ tables: world.tables, written: (lengthBytes) => world.written(lengthBytes) }, each);
    if (command === undefined) world.apply(decideContinuePurge(world.tables, 2));
    else world.run(command);
  }
  return world;
}

function checkFolders(world: DomainWorld, entries: ReadonlyMap<number, EntryRecord>): void {
  for (const [folderId, folder] of entries) {
    if (folder.kind !== entryKind.folder) continue;
    const children = [...entries].filter(([, entry]) => entry.parentId === folderId);
    expect(folder.childCount).toBe(children.length);
    const keys = children.map(([entryId, entry]) => childSortKey({ ...entry, entryId }));
    const order = orderedPage(world.tables, childrenSet(folderId), { offset: 0, limit: 1000 });
    expect(order).toEqual(keys.sort((left, right) => Buffer.compare(left, right)));
    for (const [entryId, entry] of children)
      expect(world.tables.get(childTable, [folderId, entry.name])).toEqual({ entryId });
  }
  const attached = [...entries.values()].filter((entry) => entry.parentId !== 0).length;
  expect(world.view.rowsOf(childTable.tag)).toHaveLength(attached);
}

function checkPaths(world: DomainWorld, entries: ReadonlyMap<number, EntryRecord>): void {
  const trashed: Uint8Array[] = [];
  for (const [entryId, entry] of entries) {
    let current: EntryRecord = entry;
    let depth = 0;
    while (current.parentId !== 0) {
      const parent = entries.get(current.parentId);
      expect(parent?.kind).toBe(entryKind.folder);
      expect(parent?.ownerId).toBe(entry.ownerId);
      depth += 1;
      expect(depth).toBeLessThan(entries.size);
      if (parent !== undefined) current = parent;
    }
    // A way up ends at a root, in the trash, or at a folder that is being purged.
    expect(current.name === "" || current.trashedAtMs > 0 || current.isPurged).toBe(true);
    if (entry.trashedAtMs > 0) trashed.push(newestFirstKey(entry.trashedAtMs, entryId));
  }
  const listed = [1, 2].reduce((sum, owner) => sum + orderedCount(world.tables, trashSet(owner)), 0);
  expect(listed).toBe(trashed.length);
}

function checkUsage(world: DomainWorld, entries: ReadonlyMap<number, EntryRecord>): void {
  const versions = rows(world, versionTable.tag).map((key) => parseTableKey(versionTable, key)[0]);
  for (const owner of [1, 2]) {
    const files = [...entries].filter(([, entry]) => entry.ownerId === owner && entry.kind === entryKind.file);
    const ids = new Set(files.map(([entryId]) => entryId));
    let bytes = 0;
    for (const versionId of versions) {
      const version = world.tables.get(versionTable, [versionId]);
      if (version !== undefined && ids.has(version.entryId)) bytes += version.sizeBytes;
    }
    const usage = world.tables.get(usageTable, [owner]) ?? { fileCount: 0, bytes: 0 };
    expect(usage).toEqual({ fileCount: files.length, bytes });
  }
}

function checkUploads(world: DomainWorld): void {
  for (const key of rows(world, uploadTable.tag)) {
    const [uploadId] = parseTableKey(uploadTable, key);
    const upload = world.tables.get(uploadTable, [uploadId]);
    const parts = [0, 1].flatMap((part) => world.tables.get(uploadPartTable, [uploadId, part]) ?? []);
    const storedBytes = parts.reduce((sum, part) => sum + part.lengthBytes, 0);
    expect(upload).toMatchObject({ partCount: parts.length, storedBytes });
  }
}

/** Every chunk is held by exactly who names it, and garbage when nobody does. */
function checkChunks(world: DomainWorld): void {
  const named = new Map<number, string>();
  for (const key of rows(world, versionTable.tag)) {
    const [versionId] = parseTableKey(versionTable, key);
    for (const chunkId of world.tables.get(versionTable, [versionId])?.chunkIds ?? []) {
      expect(named.has(chunkId)).toBe(false);
      named.set(chunkId, `version ${versionId}`);
    }
  }
  for (const key of rows(world, uploadPartTable.tag)) {
    const [uploadId, part] = parseTableKey(uploadPartTable, key);
    for (const chunkId of world.tables.get(uploadPartTable, [uploadId, part])?.chunkIds ?? []) {
      expect(named.has(chunkId)).toBe(false);
      named.set(chunkId, `upload ${uploadId}`);
    }
  }
  for (const key of rows(world, chunkTable.tag)) {
    const [chunkId] = parseTableKey(chunkTable, key);
    const row = world.tables.get(chunkTable, [chunkId]);
    if (row === undefined) continue;
    const holder = row.holderUploadId === "" ? `version ${row.holderVersionId}` : `upload ${row.holderUploadId}`;
    expect(isHeld(row) ? holder : undefined).toBe(named.get(chunkId));
    expect(world.tables.get(garbageTable, [chunkId]) !== undefined).toBe(!isHeld(row));
  }
}

function rows(world: DomainWorld, tag: number): readonly Uint8Array[] {
  return world.view.rowsOf(tag).map(([key]) => key);
}

const wishesOf = (maxLength: number): fc.Arbitrary<Wish[]> =>
  fc.array(wish, { minLength: maxLength / 4, maxLength, size: "max" });

describe("random wishes", () => {
  it("lead to every kind of event of files", () => {
    const kinds = new Set<string>();
    const seen = fc.sample(wishesOf(120), { numRuns: 60, seed: 7 });
    for (const wishes of seen) for (const event of play(wishes).history) kinds.add(event.kind);
    const expected = [
      "folderCreated",
      "fileCreated",
      "versionCommitted",
      "entryMoved",
      "entryTrashed",
      "entryRestored",
      "entryPurged",
    ];
    for (const kind of [
      ...expected,
      "uploadStarted",
      "uploadPartStored",
      "uploadEnded",
      "chunkPlaced",
      "chunksGranted",
    ])
      expect(kinds).toContain(kind);
  });

  it("keep every folder, path, sum and chunk in agreement", () => {
    fc.assert(
      fc.property(wishesOf(120), (wishes) => {
        const world = play(wishes);
        const entries = new Map<number, EntryRecord>();
        for (const key of rows(world, entryTable.tag)) {
          const [entryId] = parseTableKey(entryTable, key);
          const entry = world.tables.get(entryTable, [entryId]);
          if (entry !== undefined) entries.set(entryId, entry);
        }
        checkFolders(world, entries);
        checkPaths(world, entries);
        checkUsage(world, entries);
        checkUploads(world);
        checkChunks(world);
      }),
      { numRuns: 80 },
    );
  });

  it("leave nothing of a file but its account when everything is purged", () => {
    fc.assert(
      fc.property(wishesOf(60), (wishes) => {
        const world = play(wishes);
        for (const uploadId of uploads)
          for (const userId of [1, 2]) world.run({ kind: "abortUpload", uploadId, userId });
        for (const key of rows(world, entryTable.tag)) {
          const [entryId] = parseTableKey(entryTable, key);
          for (const userId of [1, 2]) world.run({ kind: "purgeEntry", entryId, userId });
        }
        while (world.apply(decideContinuePurge(world.tables, 5)) > 0);
        expect(rows(world, entryTable.tag)).toHaveLength(2);
        expect(rows(world, versionTable.tag)).toEqual([]);
        expect(world.tables.get(usageTable, [0]) ?? { fileCount: 0, bytes: 0 }).toEqual({ fileCount: 0, bytes: 0 });
        checkChunks(world);
      }),
      { numRuns: 40 },
    );
  });
});

/** The same wishes as a log of batches, decided through an overlay with up to four batches in flight. */
function logOf(wishes: readonly Wish[]): { readonly batches: readonly EventBatch[]; readonly base: MemoryView } {
  const world = new DomainWorld();
  world.user("ann@example.org");
  world.user("bob@example.org");
  const batches: EventBatch[] = [];
  const base = new MemoryView();
  const overlay = new Overlay(base);
  let applied = 0;
  const fold = (batch: EventBatch): void => evolveBatch(tablesOf(base), batch, contextOf(batch));
  const push = (events: EventBatch["events"], requestId: string): void => {
    const sequence = batches.length + 1;
    const batch = { requestId, actor: "test", atMs: 1000 + sequence, events, outcome: Uint8Array.of(1), sequence };
    overlay.push(sequence, (buffer) => evolveBatch(tablesOf(buffer), batch, contextOf(batch)));
    batches.push(batch);
    while (batches.length - applied > 4) applyNext();
  };
  const applyNext = (): void => {
    const batch = batches[applied];
    if (batch === undefined) return;
    fold(batch);
    overlay.retire(batch.sequence);
    applied += 1;
  };
  for (const event of world.history.filter((each) => each.kind !== "userCreated")) push([event], "");
  const run = (command: DomainCommand): CommandOutcome | undefined => {
    const result = decide(readerOf(overlay), command, { ...world.context, atMs: 1000 + batches.length });
    if (!result.ok) return undefined;
    if (result.value.events.length > 0) push(result.value.events, `r${batches.length}`);
    return result.value.outcome;
  };
  const written = (lengthBytes: number): readonly WrittenChunk[] => writtenChunks(run, lengthBytes);
  for (const email of ["ann@example.org", "bob@example.org"]) run(createUser({ email }));
  for (const each of wishes) {
    const command = commandOf({ tables: readerOf(overlay), written }, each);
    if (command !== undefined) run(command);
  }
  while (applied < batches.length) applyNext();
  expect(overlay.rowCount()).toBe(0);
  return { batches, base };
}

function contextOf(batch: EventBatch): { readonly index: number; readonly atMs: number; readonly actor: string } {
  return { index: batch.sequence, atMs: batch.atMs, actor: batch.actor };
}

describe("replicas", () => {
  it("end in the same state as the leader's overlay promised, wherever their batches began and ended", () => {
    fc.assert(
      fc.property(
        wishesOf(60),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
        (wishes, cuts) => {
          const { batches, base } = logOf(wishes);
          const [first, second] = [new MemoryView(), new MemoryView()];
          for (const batch of batches) foldEntry(first, entryOf(batch));
          let position = 0;
          for (let cut = 0; position < batches.length; cut++) {
            const buffer = new WriteBuffer(second);
            const end = position + (cuts[cut % cuts.length] ?? 1);
            for (const batch of batches.slice(position, end)) foldEntry(buffer, entryOf(batch));
            buffer.copyTo(second);
            position = end;
          }
          expect(second.dump()).toEqual(first.dump());
          const withoutProgress = first.dump().filter((row) => row.charCodeAt(0) !== 0x02);
          expect(withoutProgress).toEqual(base.dump());
        },
      ),
      { numRuns: 40 },
    );
  });
});

function entryOf(batch: EventBatch): Parameters<typeof foldEntry>[1] {
  return { index: batch.sequence, term: 1, data: encodeBatch(batch) } as Parameters<typeof foldEntry>[1];
}
