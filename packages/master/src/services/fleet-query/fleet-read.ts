import type { Clock, KeyValueStore } from "@holdfast/runtime";
import type { CopySetSource } from "../../application/copy-set-index.ts";
import type { PresetName } from "../../controllers/presets.ts";
import type { Preset } from "../../controllers/presets.ts";
import type { HistoryKeeper } from "../../history/history-keeper.ts";
import type { TableReader } from "../../domain/tables.ts";
import type { FleetObserver } from "../fleet/fleet-observer.ts";

/** What the answers about the fleet are made from. */
export interface FleetQueryOptions {
  readonly store: KeyValueStore;
  readonly copySets: CopySetSource;
  readonly observer: FleetObserver;
  readonly clock: Clock;
  readonly presetName: PresetName;
  readonly preset: Preset;
  /** See DecideContext. */
  readonly writeCopiesMin: number;
  /** What is copied at present, whatever for; 0 = nothing lately. */
  readonly copyBytesPerSecond: () => number;
  /** Lets other work have its turn. */
  readonly pause: () => Promise<void>;
  /** The last minutes. */
  readonly history: Pick<HistoryKeeper, "since">;
}

/** One question at the leader, after the read gate: everything committed before it was asked is in the tables. */
export interface FleetRead extends FleetQueryOptions {
  readonly tables: TableReader;
  /** Index of the last entry folded. */
  readonly index: number;
  /** Leader time, never behind that of the last batch. */
  readonly nowMs: number;
  /** The present term. */
  readonly term: number;
  readonly signal: AbortSignal;
}
