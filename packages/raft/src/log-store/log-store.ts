import type { DurableState } from "../core/config.ts";
import type { Entry, SnapshotMeta } from "../core/entries.ts";
import type { FetchOrder, PersistOrder } from "../core/output.ts";

/** What the log held when it was opened: all that a core needs to go on, but for the state machine's own index. */
export type LogBoot = Omit<DurableState, "appliedIndex">;

/**
 * One step of the log: the parts of a persist order. Either all of it survives a crash or (unless it was synced) none.
 * `snapshot` drops all entries; `repair` puts missing ones back; `append` drops those from its first index on.
 */
export type LogChange = Pick<PersistOrder, "snapshot" | "repair" | "append" | "hardState" | "mustSync"> & {
  /** Replaces what is stored of the other members' promises. */
  readonly promises?: Uint8Array;
};

/** Which entries to read: see the core's order. */
export type LogRange = Omit<FetchOrder, "ref">;

/**
 * Where a node's log lives. Changes take effect in call order and may be in flight together: everything that waits while
 * a sync runs is covered by the next one. After one failed write or sync the store has failed for ever, because nobody
 * knows what the disk holds; every later call gives the same error.
 */
export interface LogStore {
  /** What was there at opening. */
  readonly boot: LogBoot;
  /** A snapshot that was about to be installed and is not the log's start; whether it was, the state machine knows. */
  readonly intent: SnapshotMeta | undefined;
  /** What other members had promised to this node, as last stored; the store does not look inside. */
  readonly promises: Uint8Array | undefined;
  /**
   * Resolves when this change and all before it are durable (`mustSync`), or else when all before it are and this one is
   * in order behind them. Errors: `diskFailed`, `noSpace`, `precondition` once closed.
   */
  append(change: LogChange): Promise<void>;
  /**
   * Durable entries from `fromIndex` to at most `toIndex`, at least one, stopping after the one that reaches `bytesMax`.
   * "compacted" when the log no longer has the first. Errors: `dataLoss` when a record is damaged, `diskFailed`.
   */
  read(range: LogRange): Promise<readonly Entry[] | "compacted">;
  /**
   * Notes durably that this snapshot is about to take the place of the state machine. If a crash comes between that and
   * the `append` of the snapshot, the next start finds it as `intent`. Errors: as `append`.
   */
  intend(snapshot: SnapshotMeta): Promise<void>;
  /**
   * Makes `start` the log's start: entries up to it are gone, and their space is given back. Resolves when durable.
   * Errors: as `append`.
   */
  compact(start: SnapshotMeta): Promise<void>;
  /**
   * To be called now and then: a log to which nothing was written since the last call notes durably that all before it is
   * durable, so that damage to its last entries is never taken for a torn write. Errors: as `append`.
   */
  mark(): Promise<void>;
  /** Ends after what was appended is durable. Idempotent. */
  close(): Promise<void>;
}
