import { HoldfastError } from "@holdfast/base";
import { silentLogger } from "@holdfast/observability";
import type { Clock, Disk, Random } from "@holdfast/runtime";
import { expect } from "vitest";
import type { Entry, HardState } from "../core/entries.ts";
import { common } from "../core/index-ranges.ts";
import type { LogIndex } from "../core/types.ts";
import type { FileLogStore } from "./file-log-store.ts";
import { contractFounding, makeEntries, makeHardState } from "./log-store.contract.ts";
import { openFileLogStore, type FileLogStoreOptions } from "./open-file-log-store.ts";

/** What a log store for the damage tests runs on. */
export interface DamagePorts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly directory: string;
}

/** What the log truly was before it was damaged. */
export interface TrueLog {
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
}

const all = { fromIndex: 1 as LogIndex, toIndex: 1e9 as LogIndex, bytesMax: 1e9 };

/** Opens the log in this place, as a member of a group does. */
export async function openDamaged(ports: DamagePorts, over: Partial<FileLogStoreOptions> = {}): Promise<FileLogStore> {
  const { store } = await openFileLogStore({
    ...ports,
    logger: silentLogger,
    clusterId: "c",
    peer: 1,
    founding: contractFounding,
    segmentBytesMax: 1500,
    windowBytesMax: 200,
    isRepairable: true,
    ...over,
  });
  return store;
}

/** Writes a log of three terms with a conflict in it, over several segments. It ends cleanly, or is left alone for a while. */
export async function writeLog(ports: DamagePorts, end: "close" | "mark" = "close"): Promise<TrueLog> {
  const store = await openDamaged(ports);
  await store.append({ snapshot: contractFounding, append: [], hardState: makeHardState(1, 1, 0), mustSync: true });
  await store.append({ append: makeEntries(1, 3, 1), hardState: makeHardState(1, 1, 1), mustSync: true });
  await store.append({ append: makeEntries(4, 9, 1), mustSync: true });
  await Promise.all(
    [10, 11, 12].map((index) => store.append({ append: makeEntries(index, index, 1), mustSync: true })),
  );
  await store.append({ append: makeEntries(11, 14, 2), hardState: makeHardState(2, 3, 8), mustSync: true });
  await store.append({ append: makeEntries(15, 20, 2), mustSync: true });
  await store.append({ append: [], hardState: makeHardState(4, 2, 16), mustSync: true });
  await store.append({ append: makeEntries(21, 24, 4), hardState: makeHardState(4, 2, 20), mustSync: true });
  if (end === "mark") for (let times = 0; times < 3; times++) await store.mark();
  else await store.close();
  const entries = [...makeEntries(1, 10, 1), ...makeEntries(11, 20, 2), ...makeEntries(21, 24, 4)];
  return { entries, hardState: makeHardState(4, 2, 20) };
}

/**
 * Opens a damaged log and compares what it says with the truth: it may know less, never anything else; what is missing is
 * given back, and then the log is what it was, also for the next start. Returns how many entries were missing, or
 * "unusable" for a log that does not let itself be opened.
 */
export async function judge(ports: DamagePorts, truth: TrueLog): Promise<number | "unusable"> {
  const opened = await openDamaged(ports).catch((error: unknown) => {
    if (error instanceof HoldfastError && error.kind === "dataLoss") return undefined;
    throw error;
  });
  if (opened === undefined) return "unusable";
  const { hardState, lastIndex, missing, termRuns } = opened.boot;
  const last = truth.entries.at(-1);
  expect({ term: hardState.term, vote: hardState.vote, lastIndex }).toEqual({
    term: truth.hardState.term,
    vote: truth.hardState.vote,
    lastIndex: last?.index,
  });
  expect(hardState.commit).toBeLessThanOrEqual(truth.hardState.commit);
  const ranges = missing?.ranges ?? [];
  const isLost = ({ index }: Entry): boolean => common(ranges, { from: index, to: index }).length > 0;
  const lost = truth.entries.filter(isLost);
  if (last !== undefined && isLost(last)) expect(missing?.lastTerm).toBe(last.term);
  for (const entry of truth.entries) {
    const run = termRuns.findLast(({ firstIndex }) => firstIndex <= entry.index);
    expect(run?.term).toBe(isLost(entry) ? 0 : entry.term);
    if (!isLost(entry)) expect(await opened.read({ ...all, fromIndex: entry.index, bytesMax: 1 })).toEqual([entry]);
  }
  for (const range of ranges)
    await opened.append({ repair: truth.entries.slice(range.from - 1, range.to), append: [], mustSync: true });
  expect(await opened.read(all)).toEqual(truth.entries);
  await opened.close();
  const again = await openDamaged(ports);
  expect(again.boot.missing).toBeUndefined();
  expect(again.boot.lastIndex).toBe(last?.index);
  expect(await again.read(all)).toEqual(truth.entries);
  await again.close();
  return lost.length;
}
