import { beforeEach, describe, expect, it } from "vitest";
import { conflictPolicy } from "../commands.ts";
import { orderedPage } from "../ordered-index.ts";
import { usageTable } from "../state.ts";
import { idAtEnd } from "../time-key.ts";
import { chunkTable, garbageTable } from "../chunks/tables.ts";
import { commitFile, DomainWorld, moveEntry, testChunkSizeBytes } from "../../testing/domain-world.ts";
import { depthMax } from "./lookup.ts";
import { versionsMax } from "./decide-commit.ts";
import { decideContinuePurge } from "./decide-trash.ts";
import { childrenSet, childTable, entryTable, purgingSet, trashSet, versionTable } from "./state.ts";

let world: DomainWorld;
let userId: number;
let rootId: number;
let other: { readonly userId: number; readonly rootId: number };

beforeEach(() => {
  world = new DomainWorld();
  ({ userId, rootId } = world.user());
  other = world.user("bob@example.org");
});

function idNamed(parentId: number, name: string): number | undefined {
  return world.tables.get(childTable, [parentId, name])?.entryId;
}

function namesIn(folderId: number): readonly (string | undefined)[] {
  return orderedPage(world.tables, childrenSet(folderId), { offset: 0, limit: 1000 }).map(
    (key) => world.tables.get(entryTable, [idAtEnd(key)])?.name,
  );
}

const badNames: readonly (readonly [why: string, name: string])[] = [
  ["empty", ""],
  ["dot", "."],
  ["two dots", ".."],
  ["slash", "a/b"],
  ["NUL", "a\0b"],
  ["newline", "a\nb"],
  ["delete", "a\x7f"],
  ["C1 control", "a\u0085"],
  ["line separator", "a\u2028"],
  ["256 bytes", "x".repeat(256)],
  ["300 bytes", "x".repeat(300)],
  ["128 two-byte letters", "ä".repeat(128)],
  ["decomposed", "a\u0308"],
  ["lone high surrogate", "a\ud83d"],
  ["lone low surrogate", "\ude00a"],
];

const goodNames = [
  " ",
  "a b",
  "ä",
  "日本語",
  "😀",
  ".hidden",
  "...",
  '"quoted"',
  "x".repeat(255),
  "ä".repeat(127),
  "CON",
  "a:b",
  "a\\b",
];

describe("names", () => {
  it.each(badNames)("refuses %s in every command that takes one", (_why, name) => {
    const folder = world.folder(userId, rootId, "folder");
    const refusals = [
      world.run({ kind: "createFolder", userId, parentId: rootId, name, keepExisting: false }),
      world.run(commitFile({ userId, parentId: rootId, name })),
      world.run({
        kind: "startUpload",
        uploadId: "a".repeat(32),
        userId,
        parentId: rootId,
        name,
        sizeBytes: 0,
        partSizeBytes: testChunkSizeBytes,
        conflict: 1,
      }),
    ];
    expect(refusals).toEqual(["invalidArgument", "invalidArgument", "invalidArgument"]);
    // An empty name in a move means: keep.
    if (name !== "")
      expect(world.run(moveEntry({ userId, entryId: folder, targetName: name }))).toBe("invalidArgument");
    expect(namesIn(rootId)).toEqual(["folder"]);
  });

  it.each(goodNames)("takes %j", (name) => {
    const id = world.folder(userId, rootId, name);
    expect(idNamed(rootId, name)).toBe(id);
    expect(namesIn(rootId)).toEqual([name]);
  });

  it("are told apart by case, and sorted without it", () => {
    for (const name of ["b", "A", "a", "B"]) world.folder(userId, rootId, name);
    expect(namesIn(rootId)).toEqual(["A", "a", "b", "B"]);
  });
});

describe("createFolder", () => {
  it("puts a folder into a folder", () => {
    const id = world.folder(userId, rootId, "a");
    expect(world.tables.get(entryTable, [id])).toMatchObject({
      parentId: rootId,
      name: "a",
      ownerId: userId,
      childCount: 0,
    });
    expect(world.tables.get(entryTable, [rootId])?.childCount).toBe(1);
  });

  it("refuses a taken name, or answers with the folder that has it", () => {
    const id = world.folder(userId, rootId, "a");
    world.file(userId, rootId, "f");
    const create = { kind: "createFolder", userId, parentId: rootId, name: "a" } as const;
    expect(world.run({ ...create, keepExisting: false })).toBe("nameTaken");
    expect(world.run({ ...create, keepExisting: true })).toMatchObject({ entryId: id });
    expect(world.run({ ...create, name: "f", keepExisting: true })).toBe("nameTaken");
  });

  it("sees only the user's own tree", () => {
    const create = { kind: "createFolder", userId, name: "a", keepExisting: false } as const;
    expect(world.run({ ...create, parentId: other.rootId })).toBe("notFound");
    expect(world.run({ ...create, parentId: 999_999 })).toBe("notFound");
    expect(world.run({ ...create, parentId: 0 })).toBe("notFound");
    expect(world.run({ ...create, parentId: rootId, userId: 0 })).toBe("notFound");
  });

  it("refuses a file as parent, and a parent in the trash or below it", () => {
    const file = world.file(userId, rootId, "f");
    const outer = world.folder(userId, rootId, "outer");
    const inner = world.folder(userId, outer, "inner");
    world.must({ kind: "trashEntry", entryId: outer, userId, onlyIfEmpty: false });
    const create = { kind: "createFolder", userId, name: "a", keepExisting: false } as const;
    expect(world.run({ ...create, parentId: file })).toBe("invalidArgument");
    expect(world.run({ ...create, parentId: outer })).toBe("notFound");
    expect(world.run({ ...create, parentId: inner })).toBe("notFound");
  });

  it("stops at the depth limit", () => {
    let parentId = rootId;
    for (let depth = 1; depth < depthMax; depth++) parentId = world.folder(userId, parentId, "d");
    expect(world.run({ kind: "createFolder", userId, parentId, name: "d", keepExisting: false })).toBe(
      "invalidArgument",
    );
    expect(world.run(commitFile({ userId, parentId, name: "f" }))).toBe("invalidArgument");
  });
});

describe("moveEntry", () => {
  it("renames, moves, and does both", () => {
    const folder = world.folder(userId, rootId, "folder");
    const file = world.file(userId, rootId, "f");
    world.must(moveEntry({ userId, entryId: file, targetName: "g" }));
    expect([idNamed(rootId, "f"), idNamed(rootId, "g")]).toEqual([undefined, file]);
    world.must(moveEntry({ userId, entryId: file, targetParentId: folder, targetName: "h" }));
    expect(namesIn(rootId)).toEqual(["folder"]);
    expect(namesIn(folder)).toEqual(["h"]);
    expect(world.tables.get(entryTable, [folder])?.childCount).toBe(1);
  });

  it("refuses a folder in itself or below", () => {
    const a = world.folder(userId, rootId, "a");
    const b = world.folder(userId, a, "b");
    const c = world.folder(userId, b, "c");
    for (const targetParentId of [a, b, c]) {
      expect(world.run(moveEntry({ userId, entryId: a, targetParentId }))).toBe("wouldCycle");
    }
    world.must(moveEntry({ userId, entryId: c, targetParentId: rootId }));
    world.must(moveEntry({ userId, entryId: a, targetParentId: c }));
    expect(world.run(moveEntry({ userId, entryId: c, targetParentId: b }))).toBe("wouldCycle");
  });

  it("refuses roots, strangers' entries, files as target and old revisions", () => {
    const file = world.file(userId, rootId, "f");
    const folder = world.folder(userId, rootId, "folder");
    const revision = world.tables.get(entryTable, [file])?.revision ?? 0;
    expect(world.run(moveEntry({ userId, entryId: rootId, targetName: "r" }))).toBe("invalidArgument");
    expect(world.run(moveEntry({ userId: other.userId, entryId: file, targetName: "x" }))).toBe("notFound");
    expect(world.run(moveEntry({ userId, entryId: file, targetParentId: other.rootId }))).toBe("notFound");
    expect(world.run(moveEntry({ userId, entryId: folder, targetParentId: file }))).toBe("invalidArgument");
    expect(world.run(moveEntry({ userId, entryId: file, targetName: "g", ifRevision: revision }))).toMatchObject({
      name: "g",
    });
    expect(world.run(moveEntry({ userId, entryId: file, targetName: "h", ifRevision: revision }))).toBe(
      "versionConflict",
    );
  });

  it("keeps both when asked, and changes nothing for the same place", () => {
    const first = world.file(userId, rootId, "a.txt");
    const second = world.file(userId, rootId, "b.txt");
    expect(world.run(moveEntry({ userId, entryId: second, targetName: "a.txt" }))).toBe("nameTaken");
    const conflict = conflictPolicy.keepBoth;
    expect(world.run(moveEntry({ userId, entryId: second, targetName: "a.txt", conflict }))).toMatchObject({
      name: "a (2).txt",
    });
    expect(world.decide(moveEntry({ userId, entryId: first, targetName: "a.txt" }))).toMatchObject({
      value: { events: [] },
    });
  });

  it("changes case in place", () => {
    const file = world.file(userId, rootId, "readme");
    world.must(moveEntry({ userId, entryId: file, targetName: "README" }));
    expect(namesIn(rootId)).toEqual(["README"]);
  });
});

describe("commitFile", () => {
  it("stores inline content up to 4096 bytes", () => {
    const full = new Uint8Array(4096).fill(7);
    const file = world.file(userId, rootId, "f", full);
    const versionId = world.tables.get(entryTable, [file])?.versionId ?? 0;
    expect(world.tables.get(versionTable, [versionId])?.inlineContent).toEqual(full);
    const larger = { inlineContent: new Uint8Array(4097), sizeBytes: 4097 };
    expect(world.run(commitFile({ userId, parentId: rootId, name: "g", ...larger }))).toBe("invalidArgument");
  });

  it("stores chunks that the version then holds", () => {
    const chunks = world.written(2 * testChunkSizeBytes + 5);
    const { entryId } = world.must(commitFile({ userId, parentId: rootId, name: "f", sizeBytes: 2053, chunks }));
    expect(world.tables.get(entryTable, [entryId])).toMatchObject({ sizeBytes: 2053 });
    for (const { chunkId } of chunks)
      expect(world.tables.get(chunkTable, [chunkId])).toMatchObject({ holderEntryId: entryId });
    expect(world.tables.get(usageTable, [userId])).toEqual({ fileCount: 1, bytes: 2053 });
  });

  it("refuses what does not fit together", () => {
    const chunks = world.written(testChunkSizeBytes + 5);
    const [first, last] = [chunks[0], chunks[1]];
    if (first === undefined || last === undefined) throw new Error("two chunks were granted");
    const base = { userId, parentId: rootId, name: "f", sizeBytes: testChunkSizeBytes + 5, chunks };
    const cases = [
      { ...base, sizeBytes: testChunkSizeBytes },
      { ...base, sizeBytes: Number.MAX_SAFE_INTEGER },
      { ...base, chunks: [last, first] },
      { ...base, chunks: [first, first], sizeBytes: 2 * testChunkSizeBytes },
      { ...base, chunks: [first, { ...last, lengthBytes: 0 }] },
      { ...base, chunks: [first, { ...last, sha256: new Uint8Array(31) }] },
      { ...base, sha256: new Uint8Array(20) },
      { ...base, inlineContent: Uint8Array.of(1) },
      { ...base, chunks: [], inlineContent: Uint8Array.of(1), sizeBytes: 2 },
      { ...base, chunks: [], sizeBytes: 1 },
      { ...base, chunks: Array.from({ length: 4097 }, () => first) },
    ];
    for (const wrong of cases) expect(world.run(commitFile(wrong))).toBe("invalidArgument");
    expect(world.run(commitFile(base))).toMatchObject({ name: "f" });
  });

  it("refuses chunks with too few durable copies, without a grant, or in use", () => {
    const chunks = world.written(5);
    const base = { userId, parentId: rootId, name: "f", sizeBytes: 5, chunks };
    const once = chunks.map((chunk) => ({ ...chunk, confirmedNodeIds: chunk.confirmedNodeIds.slice(0, 1) }));
    expect(world.run(commitFile({ ...base, chunks: once }))).toBe("precondition");
    const unknown = chunks.map((chunk) => ({ ...chunk, chunkId: 12_345 }));
    expect(world.run(commitFile({ ...base, chunks: unknown }))).toBe("precondition");
    world.must(commitFile(base));
    expect(world.run(commitFile({ ...base, name: "g" }))).toBe("precondition");
    world.atMs += 3_600_000;
    const late = world.written(5);
    world.atMs += 3_600_000;
    expect(world.run(commitFile({ ...base, name: "h", chunks: late }))).toBe("precondition");
  });

  it("follows the conflict policy", () => {
    const first = world.must(commitFile({ userId, parentId: rootId, name: "a.tar.gz" }));
    const again = { userId, parentId: rootId, name: "a.tar.gz" };
    expect(world.run(commitFile({ ...again, conflict: conflictPolicy.fail }))).toBe("nameTaken");
    expect(world.run(commitFile({ ...again, conflict: conflictPolicy.unspecified }))).toBe("nameTaken");
    const replaced = world.must(commitFile({ ...again, conflict: conflictPolicy.replace }));
    expect(replaced.entryId).toBe(first.entryId);
    expect(replaced.versionId).toBeGreaterThan(first.versionId);
    expect(world.must(commitFile({ ...again, conflict: conflictPolicy.keepBoth })).name).toBe("a.tar (2).gz");
    world.folder(userId, rootId, "folder");
    expect(world.run(commitFile({ ...again, name: "folder", conflict: conflictPolicy.replace }))).toBe("nameTaken");
  });

  it("gives up the oldest version beyond the limit and frees its chunks", () => {
    const chunks = world.written(5);
    const { entryId } = world.must(commitFile({ userId, parentId: rootId, name: "f", sizeBytes: 5, chunks }));
    for (let count = 1; count < versionsMax; count++) {
      world.must(commitFile({ userId, parentId: rootId, name: "f", conflict: conflictPolicy.replace }));
    }
    const chunkId = chunks[0]?.chunkId ?? 0;
    expect(world.tables.get(garbageTable, [chunkId])).toBeUndefined();
    world.must(commitFile({ userId, parentId: rootId, name: "f", conflict: conflictPolicy.replace }));
    expect(world.tables.get(entryTable, [entryId])?.versionCount).toBe(versionsMax);
    expect(world.tables.get(garbageTable, [chunkId])).toMatchObject({ reason: "purged" });
    expect(world.tables.get(usageTable, [userId])).toEqual({ fileCount: 1, bytes: 0 });
  });
});

describe("trash", () => {
  it("frees the name, keeps the place, and gives both back", () => {
    const folder = world.folder(userId, rootId, "folder");
    const file = world.file(userId, folder, "f");
    world.must({ kind: "trashEntry", entryId: file, userId, onlyIfEmpty: false });
    expect(namesIn(folder)).toEqual([]);
    expect(world.tables.get(entryTable, [file])).toMatchObject({ parentId: 0, originParentId: folder, name: "f" });
    world.file(userId, folder, "f");
    const restored = world.must({ kind: "restoreEntry", entryId: file, userId, targetParentId: 0 });
    expect(restored.name).toBe("f (2)");
    expect(namesIn(folder)).toEqual(["f", "f (2)"]);
    expect(orderedPage(world.tables, trashSet(userId), { offset: 0, limit: 10 })).toEqual([]);
  });

  it("restores to the root when the old folder is gone, or to a named folder", () => {
    const folder = world.folder(userId, rootId, "folder");
    const file = world.file(userId, folder, "f");
    world.must({ kind: "trashEntry", entryId: file, userId, onlyIfEmpty: false });
    world.must({ kind: "trashEntry", entryId: folder, userId, onlyIfEmpty: false });
    world.must({ kind: "restoreEntry", entryId: file, userId, targetParentId: 0 });
    expect(idNamed(rootId, "f")).toBe(file);
    const target = world.folder(userId, rootId, "target");
    expect(world.run({ kind: "restoreEntry", entryId: folder, userId, targetParentId: 999 })).toBe("notFound");
    world.must({ kind: "restoreEntry", entryId: folder, userId, targetParentId: target });
    expect(namesIn(target)).toEqual(["folder"]);
  });

  it("lists the newest first", () => {
    const ids = ["a", "b", "c"].map((name) => world.file(userId, rootId, name));
    for (const entryId of ids) world.must({ kind: "trashEntry", entryId, userId, onlyIfEmpty: false });
    const listed = orderedPage(world.tables, trashSet(userId), { offset: 0, limit: 10 }).map(idAtEnd);
    expect(listed).toEqual(ids.toReversed());
  });

  it("refuses roots, strangers, what is there already, and full folders when asked", () => {
    const folder = world.folder(userId, rootId, "folder");
    const file = world.file(userId, folder, "f");
    const trash = { kind: "trashEntry", userId, onlyIfEmpty: false } as const;
    expect(world.run({ ...trash, entryId: rootId })).toBe("invalidArgument");
    expect(world.run({ ...trash, entryId: folder, userId: other.userId })).toBe("notFound");
    expect(world.run({ ...trash, entryId: folder, onlyIfEmpty: true })).toBe("notEmpty");
    world.must({ ...trash, entryId: folder });
    expect(world.run({ ...trash, entryId: folder })).toBe("notFound");
    expect(world.run({ ...trash, entryId: file })).toBe("notFound");
    expect(world.run({ kind: "restoreEntry", entryId: file, userId, targetParentId: 0 })).toBe("notFound");
    expect(world.run({ kind: "restoreEntry", entryId: folder, userId: other.userId, targetParentId: 0 })).toBe(
      "notFound",
    );
  });
});

describe("purge", () => {
  it("forgets a file with all its versions and frees its chunks", () => {
    const chunks = world.written(5);
    const { entryId } = world.must(commitFile({ userId, parentId: rootId, name: "f", sizeBytes: 5, chunks }));
    world.must(commitFile({ userId, parentId: rootId, name: "f", conflict: conflictPolicy.replace }));
    world.must({ kind: "purgeEntry", entryId, userId });
    expect(world.tables.get(entryTable, [entryId])).toBeUndefined();
    expect(world.tables.get(garbageTable, [chunks[0]?.chunkId ?? 0])).toMatchObject({ reason: "purged" });
    expect(world.tables.get(usageTable, [userId])).toEqual({ fileCount: 0, bytes: 0 });
    expect(world.run({ kind: "purgeEntry", entryId, userId })).toBe("notFound");
  });

  it("takes what is below a folder in bounded steps, out of sight at once", () => {
    const top = world.folder(userId, rootId, "top");
    for (let branch = 0; branch < 5; branch++) {
      const folder = world.folder(userId, top, `branch ${branch}`);
      for (let leaf = 0; leaf < 7; leaf++) world.file(userId, folder, `leaf ${leaf}`);
    }
    world.must({ kind: "trashEntry", entryId: top, userId, onlyIfEmpty: false });
    world.must({ kind: "purgeEntry", entryId: top, userId });
    expect(orderedPage(world.tables, trashSet(userId), { offset: 0, limit: 10 })).toEqual([]);
    expect(world.run({ kind: "restoreEntry", entryId: top, userId, targetParentId: 0 })).toBe("notFound");
    let steps = 0;
    for (;;) {
      const events = world.apply(decideContinuePurge(world.tables, 4));
      expect(events).toBeLessThanOrEqual(4);
      if (events === 0) break;
      steps += 1;
    }
    expect(steps).toBeGreaterThanOrEqual(10);
    expect(world.tables.get(usageTable, [userId])).toEqual({ fileCount: 0, bytes: 0 });
    expect(orderedPage(world.tables, purgingSet, { offset: 0, limit: 10 })).toEqual([]);
    // Only the two roots are left.
    expect(world.view.rowsOf(entryTable.tag)).toHaveLength(2);
  });

  it("refuses roots, strangers' entries and what lies below a trashed folder", () => {
    const folder = world.folder(userId, rootId, "folder");
    const file = world.file(userId, folder, "f");
    expect(world.run({ kind: "purgeEntry", entryId: rootId, userId })).toBe("invalidArgument");
    expect(world.run({ kind: "purgeEntry", entryId: file, userId: other.userId })).toBe("notFound");
    world.must({ kind: "trashEntry", entryId: folder, userId, onlyIfEmpty: false });
    expect(world.run({ kind: "purgeEntry", entryId: file, userId })).toBe("notFound");
  });
});
