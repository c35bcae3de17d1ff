import { createHash } from "node:crypto";
import { crc32 as zlibCrc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { crc32, parseChunkFile } from "./chunk-file-parser.ts";

/** A chunk file as the page describes it, for one and a half blocks. */
function makeFile(): Buffer {
  const data = Buffer.alloc(100_000, 0x61);
  const table = Buffer.alloc(8);
  table.writeUInt32BE(zlibCrc32(data.subarray(0, 65_536)), 0);
  table.writeUInt32BE(zlibCrc32(data.subarray(65_536)), 4);
  const footer = Buffer.alloc(128);
  footer.write("HFCHUNK\n", 0, "latin1");
  footer.writeUInt16BE(1, 8);
  footer.writeUInt32BE(65_536, 12);
  footer.writeBigUInt64BE(0x1a2b03n, 16);
  footer.writeUInt32BE(2, 24);
  footer.writeUInt32BE(data.length, 28);
  createHash("sha256").update(data).digest().copy(footer, 32);
  footer.write("0123456789abcdef0123456789abcdef", 64, "latin1");
  footer.writeUInt32BE(zlibCrc32(table), 112);
  footer.writeUInt32BE(zlibCrc32(footer.subarray(0, 124)), 124);
  return Buffer.concat([data, table, footer]);
}

describe("the walker's own reading of chunk files", () => {
  it("computes the CRC of the standard's example", () => expect(crc32(Buffer.from("123456789"))).toBe(0xcbf43926));
  it("reads a good file", () => {
    expect(parseChunkFile(makeFile())).toMatchObject({
      chunkId: "00000000001a2b03",
      generation: 2,
      lengthBytes: 100_000,
      clusterId: "0123456789abcdef0123456789abcdef",
    });
  });
  it("finds a flipped bit wherever it is", () => {
    const size = makeFile().length;
    for (const at of [0, 65_535, 65_536, 99_999, 100_000, 100_007, 100_008, 100_030, 100_070, size - 12, size - 1]) {
      const file = makeFile();
      file[at] = (file[at] ?? 0) ^ 4;
      expect(typeof parseChunkFile(file), `byte ${at}`).toBe("string");
    }
  });
  it("refuses files that are cut short or foreign", () => {
    expect(typeof parseChunkFile(makeFile().subarray(1))).toBe("string");
    expect(typeof parseChunkFile(makeFile().subarray(0, 200))).toBe("string");
    expect(typeof parseChunkFile(Buffer.alloc(10))).toBe("string");
  });
});
