import { crc32 } from "node:zlib";
import { HoldfastError } from "@holdfast/base";
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

/** Another state on its way to take the place of the present one. */
export interface Replacement {
  /** Adds rows. */
  write(changes: readonly KeyValueChange[]): Promise<void>;
  /** A row as added. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** Makes the added rows the present state, durably and at once; `onSwap` runs in the same moment as readers see them. */
  activate(onSwap: () => void): Promise<void>;
  /** Forgets them. */
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

  /** Begins to gather another state; one at a time. */
  async replace(): Promise<Replacement> {
    const slot = this.#slot === slots[0] ? slots[1] : slots[0];
    await this.#clearing;
    this.#other ??= await this.#place.openStore(`${this.#place.data}/${slot}`);
    const other = this.#other;
    await clear(other);
    return {
      write: (changes) => other.write(changes),
      get: (key) => other.get(key),
      activate: async (onSwap) => {
        await other.write([], { isDurable: true });
        await writePointer(this.#place, slot);
        this.#other = this.#current;
        this.#current = other;
        this.#slot = slot;
        onSwap();
        // Who still reads the old state reads a view of its own.
        this.#clearing = clear(this.#other).catch(toldByNextUse);
      },
      discard: () => clear(other),
    };
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
