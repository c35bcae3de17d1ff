import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockChecksums, findDamagedBlock } from "./block-checksums.ts";
import { chunkFileSizeBytes, chunkLengthFromFileSize, decodeFooter, encodeFooter } from "./chunk-file.ts";
import { chunkKeyFromFileName, chunkFileName } from "./chunk-paths.ts";
import { sampleBytes, sha256Of } from "./chunk-store.contract.ts";

const length = fc.oneof(
  fc.integer({ min: 1, max: 64 * 1024 * 1024 }),
  fc.integer({ min: 0, max: 1023 }).map((blocks) => blocks * 65_536 + 1),
);

describe("the chunk file", () => {
  it("tells its chunk's length by its size", () => {
    fc.assert(
      fc.property(length, (lengthBytes) => chunkLengthFromFileSize(chunkFileSizeBytes(lengthBytes)) === lengthBytes),
    );
  });

  it.each([0, 127, 128, 132, chunkFileSizeBytes(65_536) + 1, chunkFileSizeBytes(65_536) + 4, 2 ** 40])(
    "has no size of %i",
    (size) => {
      expect(chunkLengthFromFileSize(size)).toBeUndefined();
    },
  );

  it("reads back its footer, and notices every flipped bit", () => {
    const footer = {
      chunkId: 2 ** 45 + 3,
      generation: 7,
      lengthBytes: 12,
      sha256: sha256Of(sampleBytes(12)),
      clusterId: "0123456789abcdef0123456789abcdef",
      tableCrc: 99,
    };
    const bytes = encodeFooter(footer);
    expect(decodeFooter(bytes)).toEqual({ ok: true, value: footer });
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeFooter(damaged).ok).toBe(false);
    }
  });

  it("takes the same checksums however the bytes are cut, and finds any damaged block", () => {
    const bytes = sampleBytes(200_000);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 3, maxLength: 20 }),
        fc.nat(199_999),
        (cuts, damagedAt) => {
          const checksums = new BlockChecksums();
          let offset = 0;
          for (const cut of [...cuts, 200_000]) {
            checksums.update(bytes.subarray(offset, Math.min(offset + cut, bytes.length)));
            offset = Math.min(offset + cut, bytes.length);
          }
          const table = checksums.table();
          expect(findDamagedBlock(bytes, table, 0)).toBeUndefined();
          const damaged = bytes.slice();
          damaged[damagedAt] = (damaged[damagedAt] ?? 0) ^ 16;
          expect(findDamagedBlock(damaged, table, 0)).toBe(Math.floor(damagedAt / 65_536));
        },
      ),
      { numRuns: 25 },
    );
  });

  it("is named after its chunk and nothing else", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        fc.integer({ min: 1, max: 2 ** 26 - 1 }),
        (chunkId, generation) => {
          expect(chunkKeyFromFileName(chunkFileName({ chunkId, generation }))).toEqual({ chunkId, generation });
        },
      ),
    );
    for (const name of [
      "",
      "x",
      "0000000000000000.1",
      "0000000000000001",
      "0000000000000001.0",
      "ffffffffffffffff.1",
      "000000000000000A.1",
      "0000000000000001.1.tmp",
    ]) {
      expect(chunkKeyFromFileName(name)).toBeUndefined();
    }
  });
});
