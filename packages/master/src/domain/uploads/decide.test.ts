import { beforeEach, describe, expect, it } from "vitest";
import { conflictPolicy, type DomainCommand, type WrittenChunk } from "../commands.ts";
import { chunkTable, garbageTable } from "../chunks/tables.ts";
import { childTable, entryTable, versionTable } from "../namespace/state.ts";
import { orderedCount } from "../ordered-index.ts";
import { usageTable } from "../state.ts";
import { commitFile, DomainWorld, testChunkSizeBytes } from "../../testing/domain-world.ts";
import { decideExpireUploads, fileChunksMax, uploadLifetimeMs, uploadPartsMax } from "./decide.ts";
import { uploadExpirySet, uploadPartTable, uploadTable } from "./state.ts";

const uploadId = "0123456789abcdef0123456789abcdef";
const partSizeBytes = 2 * testChunkSizeBytes;
let world: DomainWorld;
let userId: number;
let rootId: number;

beforeEach(() => {
  world = new DomainWorld();
  ({ userId, rootId } = world.user());
});

function start(change: Partial<Extract<DomainCommand, { kind: "startUpload" }>> = {}): DomainCommand {
  return {
    kind: "startUpload",
    uploadId,
    userId,
    parentId: rootId,
    name: "f",
    sizeBytes: 0,
    partSizeBytes,
    conflict: 1,
    ...change,
  };
}

function part(
  number: number,
  chunks: readonly WrittenChunk[],
  change: Partial<Extract<DomainCommand, { kind: "storeUploadPart" }>> = {},
): DomainCommand {
  const lengthBytes = chunks.reduce((sum, chunk) => sum + chunk.lengthBytes, 0);
  return {
    kind: "storeUploadPart",
    uploadId,
    userId,
    part: number,
    chunks,
    lengthBytes,
    sha256: new Uint8Array(32).fill(number),
    ...change,
  };
}

function commit(sizeBytes: number): DomainCommand {
  return { kind: "commitUpload", uploadId, userId, sizeBytes, sha256: new Uint8Array(0) };
}

function isGarbage(chunks: readonly WrittenChunk[]): boolean {
  return chunks.every((chunk) => world.tables.get(garbageTable, [chunk.chunkId]) !== undefined);
}

describe("upload in parts", () => {
  it("shows the file at the commit, with the chunks in the order of the parts", () => {
    world.must(start());
    const last = world.written(10);
    const first = world.written(partSizeBytes);
    world.must(part(1, last));
    world.must(part(0, first));
    expect(world.tables.get(childTable, [rootId, "f"])).toBeUndefined();
    const { entryId, versionId } = world.must(commit(partSizeBytes + 10));
    const version = world.tables.get(versionTable, [versionId]);
    expect(version?.chunkIds).toEqual([...first, ...last].map((chunk) => chunk.chunkId));
    expect(world.tables.get(entryTable, [entryId])?.sizeBytes).toBe(partSizeBytes + 10);
    for (const { chunkId } of first)
      expect(world.tables.get(chunkTable, [chunkId])).toMatchObject({ holderEntryId: entryId, holderUploadId: "" });
    expect(world.tables.get(uploadTable, [uploadId])).toBeUndefined();
    expect(world.view.rowsOf(uploadPartTable.tag)).toEqual([]);
    expect(isGarbage([...first, ...last])).toBe(false);
    expect(world.run(commit(partSizeBytes + 10))).toBe("notFound");
  });

  it("makes an empty file without parts", () => {
    world.must(start());
    expect(world.must(commit(0)).name).toBe("f");
    expect(world.tables.get(usageTable, [userId])).toEqual({ fileCount: 1, bytes: 0 });
  });

  it("replaces a part that is sent again with other content, and frees the earlier chunks", () => {
    world.must(start());
    const [former, latter] = [world.written(10), world.written(20)];
    world.must(part(0, former));
    world.must(part(0, latter, { sha256: new Uint8Array(32).fill(9) }));
    expect(isGarbage(former)).toBe(true);
    expect(isGarbage(latter)).toBe(false);
    expect(world.run(commit(10))).toBe("invalidArgument");
    expect(world.must(commit(20)).entryId).toBeGreaterThan(0);
  });

  it("changes nothing for the same content again", () => {
    world.must(start());
    world.must(part(0, world.written(10)));
    expect(world.decide(part(0, world.written(10)))).toMatchObject({ value: { events: [] } });
  });

  it("frees everything when it is aborted; aborting again succeeds", () => {
    world.must(start());
    const chunks = world.written(10);
    world.must(part(3, chunks));
    expect(world.run({ kind: "abortUpload", uploadId, userId: userId + 1 })).toEqual({});
    expect(world.tables.get(uploadTable, [uploadId])).toBeDefined();
    world.must({ kind: "abortUpload", uploadId, userId });
    expect(isGarbage(chunks)).toBe(true);
    expect(orderedCount(world.tables, uploadExpirySet)).toBe(0);
    expect(world.run({ kind: "abortUpload", uploadId, userId })).toEqual({});
    expect(world.run({ kind: "abortUpload", uploadId: "\0", userId })).toEqual({});
  });

  it("expires", () => {
    world.must(start());
    const chunks = world.written(10);
    world.must(part(0, chunks));
    expect(world.apply(decideExpireUploads(world.tables, { atMs: world.atMs, eventsMax: 10 }))).toBe(0);
    const atMs = world.atMs + uploadLifetimeMs;
    world.atMs = atMs;
    expect(world.run(commit(10))).toBe("notFound");
    expect(world.apply(decideExpireUploads(world.tables, { atMs, eventsMax: 10 }))).toBe(1);
    expect(isGarbage(chunks)).toBe(true);
  });
});

describe("refusals", () => {
  it.each([
    ["short id", { uploadId: "abc" }],
    ["upper-case id", { uploadId: uploadId.toUpperCase() }],
    ["NUL in the id", { uploadId: `${"a".repeat(31)}\0` }],
    ["part size 0", { partSizeBytes: 0 }],
    ["part size no multiple", { partSizeBytes: testChunkSizeBytes + 1 }],
    ["part size 2 GiB", { partSizeBytes: 2 ** 31 }],
    ["too many parts", { sizeBytes: partSizeBytes * uploadPartsMax + 1 }],
    ["unknown policy", { conflict: 7 }],
  ])("of a start with %s", (_why, change) => {
    expect(world.run(start(change))).toBe("invalidArgument");
  });

  it("of a start with more chunks than a file can have", () => {
    const sizeBytes = fileChunksMax * testChunkSizeBytes;
    expect(world.run(start({ sizeBytes: sizeBytes + 1, partSizeBytes: 64 * testChunkSizeBytes }))).toBe("tooLarge");
    expect(world.run(start({ sizeBytes, partSizeBytes: 64 * testChunkSizeBytes }))).toEqual({});
  });

  it("of a start elsewhere, twice, or under a taken name", () => {
    const stranger = world.user("bob@example.org");
    expect(world.run(start({ parentId: stranger.rootId }))).toBe("notFound");
    world.must(commitFile({ userId, parentId: rootId, name: "f" }));
    expect(world.run(start())).toBe("nameTaken");
    world.must(start({ conflict: conflictPolicy.replace }));
    expect(world.run(start({ conflict: conflictPolicy.replace }))).toBe("precondition");
  });

  it("of parts that do not fit", () => {
    world.must(start());
    const chunks = world.written(10);
    expect(world.run(part(0, chunks, { uploadId: "f".repeat(32) }))).toBe("notFound");
    expect(world.run(part(0, chunks, { userId: userId + 1 }))).toBe("notFound");
    expect(world.run(part(uploadPartsMax, chunks))).toBe("invalidArgument");
    expect(world.run(part(4_294_967_295, chunks))).toBe("invalidArgument");
    expect(world.run(part(0, chunks, { sha256: new Uint8Array(33) }))).toBe("invalidArgument");
    expect(world.run(part(0, chunks, { lengthBytes: 11 }))).toBe("invalidArgument");
    expect(world.run(part(0, []))).toBe("invalidArgument");
    expect(world.run(part(0, world.written(3 * testChunkSizeBytes)))).toBe("invalidArgument");
    const once = chunks.map((chunk) => ({ ...chunk, confirmedNodeIds: [1] }));
    expect(world.run(part(0, once))).toBe("precondition");
  });

  it("of a chunk in two parts", () => {
    world.must(start());
    const chunks = world.written(10);
    world.must(part(0, chunks));
    expect(world.run(part(1, chunks))).toBe("precondition");
  });

  it("of a commit with holes, short parts, other sizes, or without its folder", () => {
    const folder = world.folder(userId, rootId, "folder");
    world.must(start({ parentId: folder, sizeBytes: 10 }));
    world.must(part(1, world.written(10)));
    expect(world.run(commit(10))).toBe("precondition");
    world.must(part(0, world.written(10)));
    expect(world.run(commit(20))).toBe("precondition");
    world.must(part(0, world.written(partSizeBytes), { sha256: new Uint8Array(32).fill(7) }));
    expect(world.run(commit(partSizeBytes + 11))).toBe("invalidArgument");
    // The announced size was another one.
    expect(world.run(commit(partSizeBytes + 10))).toBe("invalidArgument");
    world.must({ kind: "abortUpload", uploadId, userId });
    world.must(start({ parentId: folder }));
    world.must({ kind: "trashEntry", entryId: folder, userId, onlyIfEmpty: false });
    expect(world.run(commit(0))).toBe("notFound");
  });

  it("of a commit whose name was taken meanwhile", () => {
    world.must(start());
    world.must(commitFile({ userId, parentId: rootId, name: "f" }));
    expect(world.run(commit(0))).toBe("nameTaken");
    expect(world.tables.get(uploadTable, [uploadId])).toBeDefined();
  });
});
