import { HoldfastError, isHoldfastError } from "@holdfast/base";
import type { RaftStanding } from "../api.ts";
import type { SnapshotMeta } from "../core/entries.ts";
import type { LogIndex } from "../core/types.ts";
import type { LogBoot, LogStore } from "../log-store/log-store.ts";
import { openFileLogStore, type FileLogStoreOptions, type OpenedLog } from "../log-store/open-file-log-store.ts";
import { endRenewal, isRenewalOrdered, orderRenewal, setLogAside } from "../log-store/set-aside.ts";
import { joiningStart } from "./raft-node-parts.ts";

/** A log that can be gone on with. */
export interface ReadyLog {
  readonly store: LogStore;
  readonly incarnation: Uint8Array;
  readonly standing: RaftStanding;
}

/** What opening needs to know of the node. */
export interface OpenOrRenewOptions {
  readonly log: FileLogStoreOptions;
  /** There are no other members, or they have no way to give the state back: what is lost here is lost. */
  readonly isBeyondHelp: boolean;
  /** Why log and state are not of one piece. */
  readonly findMisfit: (boot: LogBoot, intent: SnapshotMeta | undefined) => string | undefined;
  /** Of the state machine. */
  readonly appliedIndex: LogIndex;
}

/**
 * Opens a log. A damaged one is never shortened to what is sound: what is missing may have been acknowledged or voted.
 * Single entries that cannot be read are given back by the leader (core/log-repair.ts). A log of which not even the vote
 * or the end is known is set aside as a whole, and a new one with a new incarnation joins the group.
 */
export async function openOrRenewLog(options: OpenOrRenewOptions): Promise<ReadyLog> {
  const { disk, directory, logger } = options.log;
  await disk.makeDirectory(directory);
  if (await isRenewalOrdered(disk, directory)) return renew(options);
  try {
    return await openSound(options);
  } catch (error) {
    if (!isHoldfastError(error, "dataLoss") || options.isBeyondHelp) throw error;
    logger.error("raft.log_unusable", { directory, message: error.message });
    await orderRenewal(disk, directory);
    return renew(options);
  }
}

async function openSound(options: OpenOrRenewOptions): Promise<ReadyLog> {
  let opened = await openFileLogStore(options.log);
  try {
    if (isSnapshotUnfinished(opened.store, options.appliedIndex)) opened = await finishSnapshot(options, opened);
    const { store, incarnation } = opened;
    const standing = standingOf(opened);
    const misfit = standing === "joining" ? undefined : options.findMisfit(store.boot, store.intent);
    if (misfit === undefined) return { store, incarnation, standing };
    throw new HoldfastError("dataLoss", `${misfit}. Nothing was changed; restore both together`);
  } catch (error) {
    await opened.store.close();
    throw error;
  }
}

function standingOf({ store, isDecided }: OpenedLog): RaftStanding {
  if (store.boot.logStart.membership.voters.length === 0) return "joining";
  return isDecided ? "member" : "undecided";
}

/** The state machine holds a snapshot that the log does not know of yet: a crash came between the two. */
function isSnapshotUnfinished({ intent, boot }: LogStore, appliedIndex: LogIndex): boolean {
  if (intent === undefined || appliedIndex < intent.index || boot.logStart.index >= intent.index) return false;
  return termAt(boot, intent.index) !== intent.term;
}

function termAt(boot: LogBoot, index: LogIndex): number | undefined {
  if (index > boot.lastIndex || index <= boot.logStart.index) return undefined;
  return boot.termRuns.findLast((run) => run.firstIndex <= index)?.term;
}

async function finishSnapshot(options: OpenOrRenewOptions, { store }: OpenedLog): Promise<OpenedLog> {
  const { intent } = store;
  if (intent !== undefined) {
    options.log.logger.info("raft.snapshot_finished", { index: intent.index });
    await store.append({ snapshot: intent, append: [], mustSync: true });
  }
  await store.close();
  return openFileLogStore(options.log);
}

async function renew(options: OpenOrRenewOptions): Promise<ReadyLog> {
  const { disk, directory, logger } = options.log;
  const lock = await disk.lockDirectory(directory);
  try {
    await setLogAside(disk, directory, logger);
  } finally {
    await lock.release();
  }
  const made = await openFileLogStore(options.log);
  await made.store.append({ snapshot: joiningStart, append: [], mustSync: true });
  await endRenewal(disk, directory);
  await made.store.close();
  return openSound(options);
}
