import { HoldfastError } from "@holdfast/base";
import type { LogIndex, SnapshotPiece, SnapshotSupport, StateInstallation, StateSnapshot } from "@holdfast/raft";
import type { KeyValueSnapshot, KeyValueStore } from "@holdfast/runtime";
import { readerOf } from "../domain/tables.ts";
import { readProgress } from "./fold-entry.ts";
import type { Replacement } from "./projections-store.ts";
import { rowsIn, RowWriter } from "./snapshot-rows.ts";

/** A piece is about this long; one large row makes it longer. */
const pieceBytes = 256 * 1024;

/** What copying the projections needs. */
export interface StateSnapshotsOptions {
  readonly store: KeyValueStore;
  /** Begins a state beside the present one. */
  readonly replace: () => Promise<Replacement>;
  /** The state is another one from this moment on; runs in the same moment as readers see it. */
  readonly onSwap: (index: LogIndex) => void;
}

/** Copies the projections between masters: rows in key order, out of a frozen view, into a store beside the present one. */
export function stateSnapshots(options: StateSnapshotsOptions): SnapshotSupport {
  return {
    open: async () => openSnapshot(await options.store.snapshot()),
    begin: async () => new RowInstallation(await options.replace(), options.onSwap),
  };
}

async function openSnapshot(view: KeyValueSnapshot): Promise<StateSnapshot> {
  const index = readProgress(readerOf(view)).appliedIndex as LogIndex;
  const sizeBytesEstimate = await view.sizeBytesEstimate();
  return { index, sizeBytesEstimate, pieces: (afterKey) => piecesOf(view, afterKey), close: () => view.close() };
}

async function* piecesOf(view: KeyValueSnapshot, afterKey: Uint8Array): AsyncGenerator<SnapshotPiece> {
  const writer = new RowWriter();
  let lastKey: Uint8Array = afterKey;
  for await (const [key, value] of view.range(afterKey.length === 0 ? {} : { start: behind(afterKey) })) {
    writer.add(key, value);
    lastKey = key;
    if (writer.bytes >= pieceBytes) yield { data: writer.take(), lastKey };
  }
  if (writer.bytes > 0) yield { data: writer.take(), lastKey };
}

/** The next possible key. */
function behind(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}

class RowInstallation implements StateInstallation {
  readonly #replacement: Replacement;
  readonly #onSwap: StateSnapshotsOptions["onSwap"];

  constructor(replacement: Replacement, onSwap: StateSnapshotsOptions["onSwap"]) {
    this.#replacement = replacement;
    this.#onSwap = onSwap;
  }

  add({ data }: SnapshotPiece): Promise<void> {
    return this.#replacement.write(rowsIn(data));
  }

  async install(index: LogIndex): Promise<void> {
    const found = readProgress(readerOf(this.#replacement)).appliedIndex;
    if (found !== index) {
      throw new HoldfastError(
        "dataLoss",
        `The snapshot of entry ${index} holds the state of entry ${found}. Nothing was changed.`,
      );
    }
    await this.#replacement.activate(() => this.#onSwap(index));
  }

  discard(): Promise<void> {
    return this.#replacement.discard();
  }
}
