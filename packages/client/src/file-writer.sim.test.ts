import { HoldfastError, must } from "@holdfast/base";
import { describe, expect, it } from "vitest";
import { collect, inPieces, sampleBytes, sha256Of, testChunkSizeBytes, withClient } from "./testing/client-in-world.ts";

describe("writing", () => {
  it.each([0, 1, testChunkSizeBytes - 1, testChunkSizeBytes, testChunkSizeBytes + 1, 7 * testChunkSizeBytes + 5])(
    "writes %i bytes as chunks with their checksums",
    (sizeBytes) =>
      withClient(async ({ bytes, scope, nodes, masters }) => {
        const content = sampleBytes(sizeBytes);
        const written = await bytes.write(inPieces(content, 65_536), scope);
        expect(written.sizeBytes).toBe(sizeBytes);
        expect(new Uint8Array(written.sha256)).toEqual(sha256Of(content));
        written.chunks.forEach((chunk, index) => {
          const expected = content.subarray(index * testChunkSizeBytes, (index + 1) * testChunkSizeBytes);
          expect(chunk).toMatchObject({ lengthBytes: expected.length, generation: 1 });
          expect(new Uint8Array(chunk.sha256)).toEqual(sha256Of(expected));
          expect(chunk.nodeIds).toHaveLength(3);
          expect(new Set(chunk.confirmedNodeIds)).toEqual(new Set(chunk.nodeIds));
          expect(nodes.nodes.filter((node) => node.chunks.has(chunk.chunkId))).toHaveLength(3);
        });
        expect(
          await collect(
            bytes.read(masters.layoutOf(written.chunks), { offsetBytes: 0, lengthBytes: sizeBytes }, scope),
          ),
        ).toEqual(content);
      }),
  );

  it("stands at two durable copies and waits only a moment for the third", () =>
    withClient(async ({ bytes, scope, nodes, process }) => {
      nodes.node(3).delayMs = 5000;
      const beganMs = process.clock.monotonicMs();
      const written = await bytes.write(inPieces(sampleBytes(8 * testChunkSizeBytes), 100_000), scope);
      expect(process.clock.monotonicMs() - beganMs).toBeLessThan(8000);
      expect(written.chunks.every(({ confirmedNodeIds }) => confirmedNodeIds.length >= 2)).toBe(true);
      await process.timers.sleep(10_000);
      const holders = written.chunks.map(
        ({ chunkId }) => nodes.nodes.filter((node) => node.chunks.has(chunkId)).length,
      );
      expect(holders).toEqual(written.chunks.map(() => 3));
    }));

  it.each(["noSpace", "diskFailed", "tooBusy"] as const)("goes around a node that refuses with %s", (kind) =>
    withClient(async ({ bytes, scope, nodes }) => {
      nodes.node(2).refusesWith = kind;
      const written = await bytes.write(inPieces(sampleBytes(6 * testChunkSizeBytes), 100_000), scope);
      for (const { confirmedNodeIds } of written.chunks) {
        expect(confirmedNodeIds).not.toContain(2);
        expect(new Set(confirmedNodeIds).size).toBeGreaterThanOrEqual(2);
      }
    }),
  );

  it("goes around two dead nodes of four, though grants name them", () =>
    withClient(async ({ bytes, scope, nodes }) => {
      nodes.node(1).process.crash();
      nodes.node(2).process.crash();
      const written = await bytes.write(inPieces(sampleBytes(6 * testChunkSizeBytes), 100_000), scope);
      expect(written.chunks.map(({ confirmedNodeIds }) => new Set(confirmedNodeIds))).toEqual(
        written.chunks.map(() => new Set([3, 4])),
      );
    }));

  it("replaces a first node that stands still", () =>
    withClient(async ({ bytes, scope, hub, process }) => {
      hub.partition(["gateway"], ["node-2"]);
      const beganMs = process.clock.monotonicMs();
      const written = await bytes.write(inPieces(sampleBytes(4 * testChunkSizeBytes), 100_000), scope);
      expect(process.clock.monotonicMs() - beganMs).toBeLessThan(12_000);
      expect(written.chunks.every(({ confirmedNodeIds }) => confirmedNodeIds.length >= 2)).toBe(true);
    }));

  it("goes around a node in the middle that never answers", () =>
    withClient(async ({ bytes, scope, nodes, process }) => {
      nodes.node(2).delayMs = 1_000_000;
      nodes.node(3).delayMs = 1_000_000;
      const beganMs = process.clock.monotonicMs();
      const written = await bytes.write(inPieces(sampleBytes(2 * testChunkSizeBytes), 100_000), scope);
      expect(process.clock.monotonicMs() - beganMs).toBeLessThan(25_000);
      expect(written.chunks.map(({ confirmedNodeIds }) => new Set(confirmedNodeIds))).toEqual([
        new Set([1, 4]),
        new Set([1, 4]),
      ]);
    }));

  it.each([
    ["diskFailed", "unavailable"],
    ["wrongCluster", "unavailable"],
    ["noSpace", "noSpace"],
    ["tooBusy", "tooBusy"],
  ] as const)("does not call a chunk written below the minimum: nodes say %s, the caller hears %s", (said, heard) =>
    withClient(async ({ bytes, scope, nodes }) => {
      for (const nodeId of [1, 2, 3]) nodes.node(nodeId).refusesWith = said;
      await expect(bytes.write(inPieces(sampleBytes(10), 10), scope)).rejects.toMatchObject({ kind: heard });
    }),
  );

  it("tells why there is no grant", () =>
    withClient(async ({ bytes, scope, masters }) => {
      masters.grantError = new HoldfastError("noSpace", "full");
      await expect(bytes.write(inPieces(sampleBytes(10), 10), scope)).rejects.toMatchObject({ kind: "noSpace" });
    }));

  it("asks for chunks in batches ahead of need, and not for expired ones", () =>
    withClient(async ({ bytes, scope, masters, process }) => {
      await bytes.write(inPieces(sampleBytes(40 * testChunkSizeBytes), 500_000), scope);
      expect(masters.grants.length).toBeLessThan(8);
      const before = masters.grants.length;
      masters.lifetimeMs = 1000;
      await process.timers.sleep(2 * 3_600_000);
      const written = await bytes.write(inPieces(sampleBytes(10), 10), scope);
      expect(masters.grants.length).toBe(before + 1);
      expect(must(written.chunks[0], "one chunk").chunkId).toBeGreaterThan(40n);
    }));

  it("reads its source no faster than chunks are taken, and stops when the caller gives up", () =>
    withClient(async ({ bytes, scope, nodes, abort, process }) => {
      for (const node of nodes.nodes) node.delayMs = 3000;
      let givenBytes = 0;
      let isSourceClosed = false;
      async function* endless(): AsyncGenerator<Uint8Array> {
        try {
          for (;;) {
            givenBytes += 50_000;
            yield sampleBytes(50_000);
          }
        } finally {
          isSourceClosed = true;
        }
      }
      const outcome = bytes.write(endless(), scope).catch((error: unknown) => error);
      await process.timers.sleep(2000);
      expect(givenBytes).toBeLessThanOrEqual(6 * testChunkSizeBytes);
      abort();
      expect(await outcome).toMatchObject({ kind: "cancelled" });
      expect(isSourceClosed).toBe(true);
    }));

  it("hands on what the source throws, and ends its chunks", () =>
    withClient(async ({ bytes, scope }) => {
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield sampleBytes(3 * testChunkSizeBytes);
        throw new HoldfastError("tooLarge", "more than announced");
      }
      await expect(bytes.write(broken(), scope)).rejects.toMatchObject({ kind: "tooLarge" });
    }));
});
