import { crc32 } from "node:zlib";
import { HoldfastError, isHoldfastError, must } from "@holdfast/base";
import type { Disk, KeyValueChange, KeyValueRange, KeyValueSnapshot, KeyValueStore } from "@holdfast/runtime";

/** Where the projections live: two folders, of which one is in use, and a file that says which. */
export interface ProjectionsPlace {
  readonly disk: Disk;
  /** The master's data folder. */
  readonly data: string;
  readonly openStore: (path: string) => Promise<KeyValueStore>;
}

const slots = ["projections", "projections-b"] as const;
type Slot = (typeof slots)[number];
const pointerName = "projections.current";
/** Rows removed in one batch. */
const clearRowsMax = 1000;

/** Another state on its way to take the place of the present one. Over once a newer one has begun. */
export interface Replacement {
  /** Adds rows. Errors: `precondition` when it is over. */
  write(changes: readonly KeyValueChange[]): Promise<void>;
  /** A row as added. */
  get(key: Uint8Array): Uint8Array | undefined;
  /**
   * Makes the added rows the present state, durably and at once; `onSwap` runs in the same moment as readers see them. Errors:
   * `precondition` when it is over.
   */
  activate(onSwap: () => void): Promise<void>;
  /** Forgets them; when it is over or activated there is nothing to forget. */
  discard(): Promise<void>;
}

/**
 * The store of the projections, whose whole content can be replaced: another state grows in the folder that is not in
 * use, and one renamed file makes it the present one. A crash leaves the old or the new state, whole.
 */
export class ProjectionsStore implements KeyValueStore {
  readonly #place: ProjectionsPlace;
  #slot: Slot;
  #current: KeyValueStore;
  #other: KeyValueStore | undefined;
  #clearing: Promise<void> = Promise.resolve();
  /** What touches the folder that is not in use: one after another, and nothing of a replacement that is over. */
  #turn: Promise<unknown> = Promise.resolve();
  #newest: symbol | undefined;

  private constructor(place: ProjectionsPlace, slot: Slot, current: KeyValueStore) {
    this.#place = place;
    this.#slot = slot;
    this.#current = current;
  }

  /** Opens the folder in use. Errors: `dataLoss` when the file that says which is damaged; as `openStore`. */
  static async open(place: ProjectionsPlace): Promise<ProjectionsStore> {
    const slot = await readPointer(place);
    return new ProjectionsStore(place, slot, await place.openStore(`${place.data}/${slot}`));
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#current.get(key);
  }

  write(batch: readonly KeyValueChange[], options?: { readonly isDurable?: boolean }): Promise<void> {
    return this.#current.write(batch, options);
  }

  range(range: KeyValueRange): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]> {
    return this.#current.range(range);
  }

  snapshot(): Promise<KeyValueSnapshot> {
    return this.#current.snapshot();
  }

  async close(): Promise<void> {
    await this.#clearing;
    await this.#current.close();
    await this.#other?.close();
  }

  /**
   * Begins to gather another state. What was begun before is over, unless it is being activated: then this waits for the end
   * of that, which may take as long as a disk hangs.
   */
  replace(): Promise<Replacement> {
    const mine = Symbol("replacement");
    this.#newest = mine;
    return this.#inTurn(mine, async () => {
      const slot = this.#slot === slots[0] ? slots[1] : slots[0];
      await this.#clearing;
      this.#other ??= await this.#place.openStore(`${this.#place.data}/${slot}`);
      const other = this.#other;
      await clear(other);
      return {
        write: (changes) => this.#inTurn(mine, () => other.write(changes)),
        get: (key) => (this.#newest === mine ? other.get(key) : undefined),
        activate: (onSwap) => this.#inTurn(mine, () => this.#activate(slot, () => this.#swapped(mine, onSwap))),
        discard: () => this.#discard(mine, other),
      };
    });
  }

  async #activate(slot: Slot, onSwapped: () => void): Promise<void> {
    const other = must(this.#other, "what is activated was opened");
    await other.write([], { isDurable: true });
    await writePointer(this.#place, slot);
    this.#other = this.#current;
    this.#current = other;
    this.#slot = slot;
    onSwapped();
    // Who still reads the old state reads a view of its own.
    this.#clearing = clear(this.#other).catch(toldByNextUse);
  }

  /** From here on the other folder is the one that was in use: for the next replacement alone. */
  #swapped(mine: symbol, onSwap: () => void): void {
    if (this.#newest === mine) this.#newest = undefined;
    onSwap();
  }

  async #discard(mine: symbol, other: KeyValueStore): Promise<void> {
    if (this.#newest !== mine) return;
    await this.#inTurn(mine, () => clear(other)).catch((error: unknown) => {
      // A newer one has begun meanwhile, which forgets these rows itself.
      if (!isHoldfastError(error, "precondition")) throw error;
    });
  }

  #inTurn<T>(mine: symbol, work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => {
      if (this.#newest === mine) return work();
      throw new HoldfastError("precondition", "A newer state is on its way, or is here. Nothing of this one was kept.");
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** What fails here fails again for the next state, which tells it. */
const toldByNextUse = (_thrown: unknown): void => undefined;

async function clear(store: KeyValueStore): Promise<void> {
  let removals: KeyValueChange[] = [];
  for await (const [key] of store.range({})) {
    removals.push({ key, value: undefined });
    if (removals.length < clearRowsMax) continue;
    await store.write(removals);
    removals = [];
  }
  if (removals.length > 0) await store.write(removals);
}

async function readPointer({ disk, data }: ProjectionsPlace): Promise<Slot> {
  const path = `${data}/${pointerName}`;
  if ((await disk.stat(path)) === undefined) return slots[0];
  const text = new TextDecoder().decode(await disk.readFile(path));
  const slot = slots.find((each) => text === pointerText(each));
  if (slot !== undefined) return slot;
  throw new HoldfastError(
    "dataLoss",
    `${path} is damaged, so nobody knows which state is the present one. Nothing was changed. Move the whole data folder away; the master then joins the others anew`,
  );
}

async function writePointer({ disk, data }: ProjectionsPlace, slot: Slot): Promise<void> {
  const path = `${data}/${pointerName}`;
  const file = await disk.open(`${path}.new`, "openOrCreate");
  try {
    await file.truncate(0);
    await file.write(new TextEncoder().encode(pointerText(slot)), 0);
    await file.syncData();
  } finally {
    await file.close();
  }
  await disk.rename(`${path}.new`, path);
  await disk.syncDirectory(data);
}

function pointerText(slot: Slot): string {
  return `${slot} ${crc32(slot).toString(16).padStart(8, "0")}\n`;
}
