import type { ChunkKey } from "./chunk-store.ts";

/** Where things are below a data directory (docs/formats/chunk-file.md). */
export class ChunkPaths {
  readonly chunks: string;
  readonly temporary: string;
  readonly trash: string;
  readonly quarantine: string;

  constructor(dataDirectory: string) {
    this.chunks = `${dataDirectory}/chunks`;
    this.temporary = `${dataDirectory}/tmp`;
    this.trash = `${dataDirectory}/trash`;
    this.quarantine = `${dataDirectory}/quarantine`;
  }

  /** The folder above a chunk's folder. */
  upperFolder(chunkId: number): string {
    return `${this.chunks}/${hexByte(Math.floor(chunkId / 65_536))}`;
  }

  /** A chunk's folder. */
  folder(chunkId: number): string {
    return `${this.upperFolder(chunkId)}/${hexByte(Math.floor(chunkId / 256))}`;
  }

  /** A copy's file. */
  file(key: ChunkKey): string {
    return `${this.folder(key.chunkId)}/${chunkFileName(key)}`;
  }
}

/** Name of a copy's file. */
export function chunkFileName(key: ChunkKey): string {
  return `${key.chunkId.toString(16).padStart(16, "0")}.${key.generation}`;
}

/** The copy a file is named after, or undefined for any other name. */
export function chunkKeyFromFileName(name: string): ChunkKey | undefined {
  const match = /^([0-9a-f]{16})\.([1-9][0-9]{0,7})$/.exec(name);
  if (match === null) return undefined;
  const chunkId = Number.parseInt(match[1] ?? "", 16);
  const generation = Number.parseInt(match[2] ?? "", 10);
  if (!Number.isSafeInteger(chunkId) || chunkId === 0 || generation >= 2 ** 26) return undefined;
  return { chunkId, generation };
}

function hexByte(value: number): string {
  return (value % 256).toString(16).padStart(2, "0");
}
