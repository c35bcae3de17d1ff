import type { Disk } from "../ports/disk.ts";
import type { Timer, Timers } from "../ports/timers.ts";
import { Ballast, type BallastOptions } from "./ballast.ts";
import { diskWithBallast } from "./disk-with-ballast.ts";

/** A process's disk with something held back. */
export interface KeptBallast {
  /** The disk for what must be written. */
  readonly disk: Disk;
  /** The folder is this process's: from now on room is held back in it, whenever there is some. */
  readonly start: () => void;
  /** Looks no more whether there is room again. */
  readonly stop: () => void;
}

const lookIntervalMs = 5000;

/**
 * Gives away what an earlier life of this process held back in the folder, if its disk is full; before anything else is
 * opened. Until `start` nothing is made there: the folder may turn out to be somebody else's. Never rejects.
 */
export async function keepBallast(options: BallastOptions & { readonly timers: Timers }): Promise<KeptBallast> {
  const { disk, timers } = options;
  const ballast = new Ballast(options);
  await ballast.begin();
  let timer: Timer | undefined;
  return {
    disk: diskWithBallast(disk, ballast),
    start: () => {
      timer = timers.every(lookIntervalMs, () => void ballast.hold());
      void ballast.hold();
    },
    stop: () => timer?.cancel(),
  };
}
