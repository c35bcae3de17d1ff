import { must } from "@holdfast/base";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collect, inPieces, sampleBytes, testChunkSizeBytes, withClient } from "./testing/client-in-world.ts";

const size = 5 * testChunkSizeBytes + 123;

describe("reading", () => {
  it("gives the bytes of any range", () =>
    withClient(async ({ bytes, scope, masters }) => {
      const content = sampleBytes(size);
      const layout = masters.layoutOf((await bytes.write(inPieces(content, 100_000), scope)).chunks);
      const range = fc
        .tuple(fc.nat(size), fc.nat(size))
        .map(([left, right]) => [Math.min(left, right), Math.max(left, right)] as const);
      await fc.assert(
        fc.asyncProperty(range, async ([start, end]) => {
          const read = await collect(bytes.read(layout, { offsetBytes: start, lengthBytes: end - start }, scope));
          expect(Buffer.compare(read, content.subarray(start, end))).toBe(0);
        }),
        { numRuns: 60 },
      );
      await expect(collect(bytes.read(layout, { offsetBytes: size - 1, lengthBytes: 2 }, scope))).rejects.toMatchObject(
        { kind: "invalidArgument" },
      );
    }));

  it("answers from another copy when one is damaged or missing, and reports it", () =>
    withClient(async ({ bytes, scope, masters, nodes, process }) => {
      const content = sampleBytes(testChunkSizeBytes);
      const written = await bytes.write(inPieces(content, 100_000), scope);
      const layout = masters.layoutOf(written.chunks);
      const chunkId = must(written.chunks[0], "one chunk").chunkId;
      const [first, second] = nodes.nodes.filter((node) => node.chunks.has(chunkId));
      const damaged = content.slice();
      damaged[5] = (damaged[5] ?? 0) ^ 1;
      first?.chunks.set(chunkId, damaged);
      second?.chunks.delete(chunkId);
      expect(await collect(bytes.read(layout, { offsetBytes: 0, lengthBytes: content.length }, scope))).toEqual(
        content,
      );
      await process.timers.sleep(100);
      expect(masters.reports.map(({ nodeId, reason }) => [nodeId, reason])).toEqual([
        [first?.nodeId, "corrupt"],
        [second?.nodeId, "missing"],
      ]);
    }));

  it("hedges a slow copy with another, and asks the slow one last afterwards", () =>
    withClient(async ({ bytes, scope, masters, nodes, process }) => {
      const content = sampleBytes(size);
      const layout = masters.layoutOf((await bytes.write(inPieces(content, 100_000), scope)).chunks);
      nodes.node(2).delayMs = 20_000;
      const beganMs = process.clock.monotonicMs();
      expect(await collect(bytes.read(layout, { offsetBytes: 0, lengthBytes: size }, scope))).toEqual(content);
      const tookMs = process.clock.monotonicMs() - beganMs;
      expect(tookMs).toBeLessThan(1000);
      const again = process.clock.monotonicMs();
      expect(await collect(bytes.read(layout, { offsetBytes: 0, lengthBytes: size }, scope))).toEqual(content);
      expect(process.clock.monotonicMs() - again, "no read waits for it again").toBeLessThan(100);
    }));

  it("goes on when a node dies in the middle of a read", () =>
    withClient(async ({ bytes, scope, masters, nodes }) => {
      const content = sampleBytes(size);
      const layout = masters.layoutOf((await bytes.write(inPieces(content, 100_000), scope)).chunks);
      const parts: Uint8Array[] = [];
      for await (const part of bytes.read(layout, { offsetBytes: 0, lengthBytes: size }, scope)) {
        if (parts.length === 1) nodes.node(3).process.crash();
        parts.push(part);
      }
      expect(Buffer.compare(Buffer.concat(parts), content)).toBe(0);
    }));

  it("asks the masters again when all copies it knew are gone", () =>
    withClient(async ({ bytes, scope, masters, nodes }) => {
      const content = sampleBytes(1000);
      const written = await bytes.write(inPieces(content, 1000), scope);
      const stale = masters.layoutOf(written.chunks);
      const chunkId = must(written.chunks[0], "one chunk").chunkId;
      const target = must(
        nodes.nodes.find((node) => !node.chunks.has(chunkId)),
        "a node without a copy",
      );
      for (const node of nodes.nodes) node.chunks.delete(chunkId);
      target.chunks.set(chunkId, content);
      masters.layoutOf(written.chunks);
      expect(await collect(bytes.read(stale, { offsetBytes: 0, lengthBytes: 1000 }, scope))).toEqual(content);
      expect(masters.layoutQueryCount).toBe(1);
    }));

  it("says unavailable when there is no copy to read, and dataLoss when the last one is damaged", () =>
    withClient(async ({ bytes, scope, masters, nodes }) => {
      const content = sampleBytes(1000);
      const written = await bytes.write(inPieces(content, 1000), scope);
      const layout = masters.layoutOf(written.chunks);
      const chunkId = must(written.chunks[0], "one chunk").chunkId;
      for (const node of nodes.nodes) if (node.chunks.has(chunkId)) node.chunks.set(chunkId, sampleBytes(1000, 9));
      await expect(collect(bytes.read(layout, { offsetBytes: 0, lengthBytes: 1000 }, scope))).rejects.toMatchObject({
        kind: "dataLoss",
      });
      for (const node of nodes.nodes) node.chunks.delete(chunkId);
      // Each says that it has no such copy; the file is there all the same.
      await expect(collect(bytes.read(layout, { offsetBytes: 0, lengthBytes: 1000 }, scope))).rejects.toMatchObject({
        kind: "unavailable",
      });
      const bare = masters.layoutOf(written.chunks);
      await expect(collect(bytes.read(bare, { offsetBytes: 0, lengthBytes: 1000 }, scope))).rejects.toMatchObject({
        kind: "unavailable",
      });
    }));

  it("reads only so far ahead of its consumer, and stops when it goes", () =>
    withClient(async ({ bytes, scope, masters, nodes, process }) => {
      const content = sampleBytes(40 * testChunkSizeBytes);
      const layout = masters.layoutOf((await bytes.write(inPieces(content, 500_000), scope)).chunks);
      const iterator = bytes
        .read(layout, { offsetBytes: 0, lengthBytes: content.length }, scope)
        [Symbol.asyncIterator]();
      await iterator.next();
      await process.timers.sleep(10_000);
      const readCount = nodes.nodes.reduce((sum, node) => sum + node.readCount, 0);
      expect(readCount).toBeLessThanOrEqual(10);
      await iterator.return?.(undefined);
      await process.timers.sleep(1000);
      expect(nodes.nodes.reduce((sum, node) => sum + node.readCount, 0)).toBe(readCount);
    }));

  it("ends with cancelled when the caller gives up", () =>
    withClient(async ({ bytes, scope, masters, nodes, abort, process }) => {
      const content = sampleBytes(1000);
      const layout = masters.layoutOf((await bytes.write(inPieces(content, 1000), scope)).chunks);
      for (const node of nodes.nodes) node.delayMs = 10_000;
      const outcome = collect(bytes.read(layout, { offsetBytes: 0, lengthBytes: 1000 }, scope)).catch(
        (error: unknown) => error,
      );
      await process.timers.sleep(10);
      abort();
      expect(await outcome).toMatchObject({ kind: "cancelled" });
    }));
});
