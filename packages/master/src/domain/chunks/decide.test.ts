import { must } from "@holdfast/base";
import { describe, expect, test } from "vitest";
import { decideChunksWritten, grantLifetimeMs } from "./decide.ts";
import { chunkSizeBytes, ChunkWorld, sha256 } from "./testing/chunk-world.ts";

describe("decideChunksWritten", () => {
  const written = (world: ChunkWorld, change: object): ReturnType<typeof decideChunksWritten> => {
    const { chunkId, nodeIds } = must(world.grant(1)[0], "a grant of one chunk has one");
    const chunk = { chunkId, generation: 1, lengthBytes: 10, sha256, nodeIds, confirmedNodeIds: nodeIds };
    return decideChunksWritten(world.tables, [{ ...chunk, ...change }], world.context);
  };

  test.each([
    { what: "no grant", change: { chunkId: 999 }, kind: "precondition" },
    { what: "one durable copy", change: { nodeIds: [1, 2, 3], confirmedNodeIds: [2] }, kind: "precondition" },
    { what: "the same copy twice", change: { nodeIds: [1, 2, 3], confirmedNodeIds: [2, 2] }, kind: "precondition" },
    {
      what: "a copy where none was placed",
      change: { nodeIds: [1, 2], confirmedNodeIds: [1, 3] },
      kind: "invalidArgument",
    },
    { what: "an unknown node", change: { nodeIds: [1, 2, 77], confirmedNodeIds: [1, 2] }, kind: "invalidArgument" },
    { what: "no bytes", change: { lengthBytes: 0 }, kind: "invalidArgument" },
    { what: "too many bytes", change: { lengthBytes: chunkSizeBytes + 1 }, kind: "invalidArgument" },
    { what: "a short hash", change: { sha256: new Uint8Array(31) }, kind: "invalidArgument" },
    { what: "another generation", change: { generation: 2 }, kind: "invalidArgument" },
  ])("refuses $what", ({ change, kind }) => {
    expect(written(new ChunkWorld(), change)).toMatchObject({ ok: false, error: { kind } });
  });

  test("a grant ends at its time by the leader's clock, not before", () => {
    const world = new ChunkWorld();
    const { chunkId, nodeIds } = must(world.grant(1)[0], "a grant of one chunk has one");
    const chunk = { chunkId, generation: 1, lengthBytes: 10, sha256, nodeIds, confirmedNodeIds: nodeIds };
    world.atMs += grantLifetimeMs - 1;
    expect(decideChunksWritten(world.tables, [chunk], world.context).ok).toBe(true);
    world.atMs += 1;
    expect(decideChunksWritten(world.tables, [chunk], world.context)).toMatchObject({
      ok: false,
      error: { kind: "precondition" },
    });
  });

  test("a chunk is placed once; a second use is refused, and so is the same chunk twice in one command", () => {
    const world = new ChunkWorld();
    const chunkId = world.store();
    const chunk = {
      chunkId,
      generation: 1,
      lengthBytes: 100 + chunkId,
      sha256,
      nodeIds: [1, 2, 3],
      confirmedNodeIds: [1, 2, 3],
    };
    expect(decideChunksWritten(world.tables, [chunk], world.context)).toMatchObject({
      ok: false,
      error: { kind: "precondition" },
    });
    const fresh = must(world.grant(1)[0], "a grant of one chunk has one");
    const twice = { ...chunk, chunkId: fresh.chunkId, nodeIds: fresh.nodeIds, confirmedNodeIds: fresh.nodeIds };
    expect(decideChunksWritten(world.tables, [twice, twice], world.context)).toMatchObject({
      ok: false,
      error: { kind: "invalidArgument" },
    });
  });
});
