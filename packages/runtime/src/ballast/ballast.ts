import { isHoldfastError } from "@holdfast/base";
import type { Disk } from "../ports/disk.ts";
import type { Random } from "../ports/random.ts";

/** What a ballast works with. */
export interface BallastOptions {
  readonly disk: Disk;
  readonly random: Random;
  /** The folder whose disk it lies on. */
  readonly folder: string;
  /** How much is held back; less on a small disk. */
  readonly sizeBytes: number;
  /** Told when it was given away, and when it is held again. */
  readonly onChanged: (state: "held" | "given") => void;
}

const fileName = "holdfast.ballast";

/** On a small disk this share is held back, if it is less than the configured size. */
const shareMax = 0.02;

/** It is taken back only when so many times its size is free: what gave it away is over. */
const roomFactor = 4;

const blockBytes = 256 * 1024;

/**
 * Room that a process holds back on its disk, as a file with nothing in it, and gives away when the disk is full: then
 * what must be written can be, while everything else is refused, until people have freed some. (CockroachDB, "ballast
 * files".) Errors of the disk are its own affair: without a ballast a full disk is just a full disk.
 */
export class Ballast {
  readonly #options: BallastOptions;
  readonly #path: string;
  /** Size of the file; 0: there is none. */
  #heldBytes = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: BallastOptions) {
    this.#options = options;
    this.#path = `${options.folder}/${fileName}`;
  }

  /** Whether there is some to give. */
  get isHeld(): boolean {
    return this.#heldBytes > 0;
  }

  /** Before anything else is opened: what is there from before is given when the disk is full. Never rejects. */
  begin(): Promise<void> {
    return this.#inTurn(async () => {
      const { disk, folder } = this.#options;
      this.#heldBytes = (await disk.stat(this.#path))?.sizeBytes ?? 0;
      const { freeBytes } = await disk.space(folder);
      if (freeBytes < (await this.#sizeBytes())) await this.#give();
    });
  }

  /** Makes room, once. Never rejects. */
  give(): Promise<void> {
    return this.#inTurn(() => this.#give());
  }

  /** Holds it back (again) once there is room enough; to be called now and then. Never rejects. */
  hold(): Promise<void> {
    return this.#inTurn(async () => {
      const { disk, folder, onChanged } = this.#options;
      const sizeBytes = await this.#sizeBytes();
      if (this.#heldBytes === sizeBytes) return;
      const { freeBytes } = await disk.space(folder);
      if (freeBytes < roomFactor * sizeBytes) return;
      // From here on there is something to give, also if the room ends on the way.
      this.#heldBytes = sizeBytes;
      try {
        await this.#write(sizeBytes);
      } catch (error) {
        await this.#give();
        throw error;
      }
      onChanged("held");
    });
  }

  async #give(): Promise<void> {
    if (this.#heldBytes === 0) return;
    this.#heldBytes = 0;
    await this.#options.disk.remove(this.#path);
    this.#options.onChanged("given");
  }

  async #sizeBytes(): Promise<number> {
    const { totalBytes } = await this.#options.disk.space(this.#options.folder);
    return Math.floor(Math.min(this.#options.sizeBytes, totalBytes * shareMax));
  }

  /** Random bytes: a file system that compresses would hold back nothing for others. */
  async #write(sizeBytes: number): Promise<void> {
    const { disk, random } = this.#options;
    const file = await disk.open(this.#path, "openOrCreate");
    try {
      await file.truncate(0);
      for (let at = 0; at < sizeBytes; at += blockBytes)
        await file.write(random.bytes(Math.min(blockBytes, sizeBytes - at)), at);
      await file.syncData();
    } finally {
      await file.close();
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work).catch((error: unknown) => {
      if (!isHoldfastError(error)) throw error;
    });
    return this.#turn;
  }
}
