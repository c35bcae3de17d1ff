import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planChunkReads } from "./chunk-plan.ts";

describe("planChunkReads", () => {
  it("covers a range with reads of the chunks it touches", () => {
    expect(planChunkReads([10, 10, 5], { offsetBytes: 8, lengthBytes: 14 })).toEqual([
      { chunkIndex: 0, offsetBytes: 8, lengthBytes: 2, isWhole: false },
      { chunkIndex: 1, offsetBytes: 0, lengthBytes: 10, isWhole: true },
      { chunkIndex: 2, offsetBytes: 0, lengthBytes: 2, isWhole: false },
    ]);
  });

  it("gives exactly the bytes of any range", () => {
    const file = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 12 });
    fc.assert(
      fc.property(file, fc.nat(500), fc.nat(500), (lengths, offsetBytes, lengthBytes) => {
        const bytes = Array.from({ length: lengths.reduce((sum, length) => sum + length, 0) }, (_, index) => index);
        const starts = lengths.map((_, index) => lengths.slice(0, index).reduce((sum, length) => sum + length, 0));
        const reads = planChunkReads(lengths, { offsetBytes, lengthBytes });
        const covered = reads.flatMap((read) => {
          const start = (starts[read.chunkIndex] ?? 0) + read.offsetBytes;
          expect(read.isWhole).toBe(read.lengthBytes === lengths[read.chunkIndex]);
          return bytes.slice(start, start + read.lengthBytes);
        });
        expect(covered).toEqual(bytes.slice(offsetBytes, offsetBytes + lengthBytes));
      }),
    );
  });
});
