import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { toHex } from "@holdfast/base";
import type { SimMachine } from "@holdfast/runtime/sim";

/** A copy that should be somewhere. */
export interface ExpectedCopy {
  readonly chunkId: number;
  readonly generation: number;
  readonly lengthBytes: number;
  /** Hex. */
  readonly sha256: string;
}

type Inode = NonNullable<ReturnType<SimMachine["disk"]["data"]["durableFile"]>>;

const chunksFolder = "/data/chunks/";
const blockBytes = 64 * 1024;
const footerBytes = 128;

/**
 * Reads chunk files off a simulated disk, by the written format (docs/formats/chunk-file.md) and without the product's
 * code. What was found is remembered until the file changes.
 */
export class ChunkFiles {
  readonly #known = new WeakMap<Inode, { readonly changeCount: number; readonly sha256: string | undefined }>();

  /** Whether a power cut now would leave this copy on the machine, whole. */
  isDurable(machine: SimMachine, copy: ExpectedCopy): boolean {
    const inode = machine.disk.data.durableFile(pathOf(copy));
    return inode !== undefined && this.#contentOf(inode, copy.lengthBytes) === copy.sha256;
  }

  /** Whether a file with this copy's name is there, whatever it holds. */
  isThere(machine: SimMachine, copy: Pick<ExpectedCopy, "chunkId" | "generation">): boolean {
    return machine.disk.data.stat(pathOf(copy)) !== undefined;
  }

  #contentOf(inode: Inode, lengthBytes: number): string | undefined {
    const known = this.#known.get(inode);
    if (known !== undefined && known.changeCount === inode.changeCount) return known.sha256;
    const sha256 = wholeContent(inode.read(0, inode.sizeBytes), lengthBytes);
    this.#known.set(inode, { changeCount: inode.changeCount, sha256 });
    return sha256;
  }
}

/** Where a copy's file is. */
export function pathOf({ chunkId, generation }: Pick<ExpectedCopy, "chunkId" | "generation">): string {
  const byte = (value: number): string => (value % 256).toString(16).padStart(2, "0");
  const folder = `${byte(Math.floor(chunkId / 65_536))}/${byte(Math.floor(chunkId / 256))}`;
  return `${chunksFolder}${folder}/${chunkId.toString(16).padStart(16, "0")}.${generation}`;
}

/** The chunk that a path names, when it is one below `chunks/`. */
export function chunkIdOf(path: string): number | undefined {
  if (!path.startsWith(chunksFolder)) return undefined;
  const name = /^([0-9a-f]{16})\.\d+$/.exec(path.slice(path.lastIndexOf("/") + 1));
  return name?.[1] === undefined ? undefined : Number.parseInt(name[1], 16);
}

/** The hash of the data when data, table and footer belong together. */
function wholeContent(bytes: Uint8Array, lengthBytes: number): string | undefined {
  const blocks = Math.ceil(lengthBytes / blockBytes);
  const footerAt = lengthBytes + 4 * blocks;
  if (bytes.length !== footerAt + footerBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isFooterWhole = view.getUint32(footerAt + 124) === crc32(bytes.subarray(footerAt, footerAt + 124));
  const isTableWhole = view.getUint32(footerAt + 112) === crc32(bytes.subarray(lengthBytes, footerAt));
  if (!isFooterWhole || !isTableWhole) return undefined;
  return toHex(createHash("sha256").update(bytes.subarray(0, lengthBytes)).digest());
}
