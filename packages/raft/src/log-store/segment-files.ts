import type { Disk, DiskFile } from "@holdfast/runtime";
import { encodeSegmentHeader, segmentHeaderBytes, type SegmentHeader } from "./segment-header.ts";

const namePattern = /^log-([0-9a-f]{16})$/;

/** Path of a segment. */
export function segmentPath(directory: string, sequence: number): string {
  return `${directory}/log-${sequence.toString(16).padStart(16, "0")}`;
}

/** Sequence numbers of the segments in a folder, ascending. */
export async function listSegments(disk: Disk, directory: string): Promise<readonly number[]> {
  const sequences: number[] = [];
  for (const name of await disk.list(directory)) {
    const digits = namePattern.exec(name)?.[1];
    if (digits !== undefined) sequences.push(Number.parseInt(digits, 16));
  }
  return sequences.sort((left, right) => left - right);
}

/** Makes a segment of a header only, durable by content and name. */
export async function createSegment(disk: Disk, directory: string, header: SegmentHeader): Promise<DiskFile> {
  const file = await disk.open(segmentPath(directory, header.sequence), "create");
  try {
    await file.write(encodeSegmentHeader(header), 0);
    await file.syncData();
    await disk.syncDirectory(directory);
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}

/** Whether the bytes are what a crash while `createSegment` ran can leave: too few, or a first sector never written. */
export function isUnfinishedSegment(bytes: Uint8Array): boolean {
  if (bytes.length < segmentHeaderBytes) return true;
  return bytes.length === segmentHeaderBytes && bytes.every((byte) => byte === 0);
}

/** The open files of a log, for reading and appending. */
export class SegmentFiles {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #files = new Map<number, Promise<DiskFile>>();

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  /** Takes charge of an open file. */
  adopt(sequence: number, file: DiskFile): void {
    this.#files.set(sequence, Promise.resolve(file));
  }

  /** The file, opened on first use. */
  get(sequence: number): Promise<DiskFile> {
    const open = this.#files.get(sequence);
    if (open !== undefined) return open;
    const opening = this.#disk.open(segmentPath(this.#directory, sequence), "readWrite");
    this.#files.set(sequence, opening);
    return opening;
  }

  /** Closes and removes a segment; the name's removal is durable after the folder's next sync. */
  async remove(sequence: number): Promise<void> {
    const open = this.#files.get(sequence);
    this.#files.delete(sequence);
    await (await open)?.close();
    await this.#disk.remove(segmentPath(this.#directory, sequence));
  }

  /** Closes all. */
  async close(): Promise<void> {
    const open = [...this.#files.values()];
    this.#files.clear();
    for (const file of open) await (await file).close();
  }
}
