import { isHoldfastError } from "@holdfast/base";
import { describe, expect, it } from "vitest";
import type { Entry, HardState, Membership, SnapshotMeta } from "../core/entries.ts";
import type { LogIndex, PeerId, Term } from "../core/types.ts";
import type { LogStore } from "./log-store.ts";

/** A place that holds one log over openings. */
export interface LogStoreFixture {
  open(): Promise<LogStore>;
  end(): Promise<void>;
}

const membership: Membership = {
  voters: [1, 2, 3] as PeerId[],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};
/** What the contract's logs begin with. */
export const contractFounding: SnapshotMeta = { index: 0 as LogIndex, term: 0 as Term, membership };

/** An entry whose data names it. */
export function makeEntry(index: number, term: number, dataBytes = 20): Entry {
  const data = new Uint8Array(dataBytes).fill(index * 31 + term);
  return { index: index as LogIndex, term: term as Term, payload: { kind: "application", data } };
}

/** Entries `first` to `last` of one term. */
export function makeEntries(first: number, last: number, term: number): Entry[] {
  return Array.from({ length: last - first + 1 }, (_, offset) => makeEntry(first + offset, term));
}

/** A hard state. */
export function makeHardState(term: number, vote: number, commit: number): HardState {
  return { term: term as Term, vote: vote as PeerId, commit: commit as LogIndex };
}

const all = { fromIndex: 1 as LogIndex, toIndex: 1e9 as LogIndex, bytesMax: 1e9 };
const from = (index: number): typeof all => ({ ...all, fromIndex: index as LogIndex });
const at = (index: number, term: number): SnapshotMeta => ({
  index: index as LogIndex,
  term: term as Term,
  membership,
});

/** What every version of `LogStore` does. */
export function describeLogStore(name: string, createFixture: () => Promise<LogStoreFixture>): void {
  async function withLog(body: (open: () => Promise<LogStore>) => Promise<void>): Promise<void> {
    const fixture = await createFixture();
    try {
      await body(() => fixture.open());
    } finally {
      await fixture.end();
    }
  }

  describe(`LogStore contract: ${name}`, () => {
    it("begins empty with the founding membership", () =>
      withLog(async (open) => {
        const store = await open();
        expect(store.boot).toEqual({
          hardState: makeHardState(0, 0, 0),
          logStart: contractFounding,
          termRuns: [],
          lastIndex: 0,
          configurationEntries: [],
          window: [],
        });
        expect(await store.read(all)).toBe("compacted");
        await store.close();
      }));

    it("gives back after a restart what was appended", () =>
      withLog(async (open) => {
        const store = await open();
        const entries = [...makeEntries(1, 3, 1), ...makeEntries(4, 5, 2)];
        await store.append({ append: entries, hardState: makeHardState(2, 3, 4), mustSync: true });
        expect(await store.read(all)).toEqual(entries);
        await store.close();
        const again = await open();
        expect(again.boot).toEqual({
          hardState: makeHardState(2, 3, 4),
          logStart: contractFounding,
          termRuns: [
            { term: 1, firstIndex: 1 },
            { term: 2, firstIndex: 4 },
          ],
          lastIndex: 5,
          configurationEntries: [],
          window: entries,
        });
        expect(await again.read(all)).toEqual(entries);
        await again.close();
      }));

    it("replaces everything from the first appended index on", () =>
      withLog(async (open) => {
        const store = await open();
        await store.append({ append: makeEntries(1, 9, 1), mustSync: true });
        await store.append({ append: makeEntries(5, 6, 2), mustSync: true });
        const expected = [...makeEntries(1, 4, 1), ...makeEntries(5, 6, 2)];
        expect(await store.read(all)).toEqual(expected);
        await store.close();
        const again = await open();
        expect(again.boot.lastIndex).toBe(6);
        expect(again.boot.termRuns).toEqual([
          { term: 1, firstIndex: 1 },
          { term: 2, firstIndex: 5 },
        ]);
        expect(await again.read(from(4))).toEqual(expected.slice(3));
        await again.close();
      }));

    it("keeps the order of overlapping appends and commits them all", () =>
      withLog(async (open) => {
        const store = await open();
        const settled: number[] = [];
        const appends = Array.from({ length: 50 }, async (_, position) => {
          await store.append({
            append: makeEntries(position * 2 + 1, position * 2 + 2, 1),
            mustSync: position % 3 !== 0,
          });
          settled.push(position);
        });
        await Promise.all(appends);
        expect(settled).toEqual(Array.from({ length: 50 }, (_, position) => position));
        expect(await store.read(all)).toEqual(makeEntries(1, 100, 1));
        await store.close();
      }));

    it("keeps configuration entries apart, with all their fields", () =>
      withLog(async (open) => {
        const store = await open();
        const change = {
          version: 2 as const,
          transition: "implicit" as const,
          steps: [{ action: "addLearner" as const, peer: 4 as PeerId }],
          context: Uint8Array.of(7),
        };
        const configuration: Entry = {
          index: 2 as LogIndex,
          term: 1 as Term,
          payload: { kind: "configuration", change },
        };
        const empty: Entry = { index: 1 as LogIndex, term: 1 as Term, payload: { kind: "empty" } };
        await store.append({ append: [empty, configuration, makeEntry(3, 1)], mustSync: true });
        await store.close();
        const again = await open();
        expect(again.boot.configurationEntries).toEqual([configuration]);
        expect(again.boot.window[0]).toEqual(empty);
        await again.append({ append: [makeEntry(2, 2)], mustSync: true });
        await again.close();
        const third = await open();
        expect(third.boot.configurationEntries).toEqual([]);
        await third.close();
      }));

    it("reads within limits of index and bytes, at least one entry", () =>
      withLog(async (open) => {
        const store = await open();
        await store.append({ append: makeEntries(1, 10, 1), mustSync: true });
        await store.append({ append: makeEntries(11, 20, 1), mustSync: true });
        expect(await store.read({ ...from(9), toIndex: 12 as LogIndex })).toEqual(makeEntries(9, 12, 1));
        expect(await store.read({ ...from(9), bytesMax: 1 })).toEqual(makeEntries(9, 9, 1));
        const some = await store.read({ ...all, bytesMax: 100 });
        expect(some).toEqual(makeEntries(1, some.length, 1));
        expect(some.length).toBeGreaterThan(1);
        expect(some.length).toBeLessThan(8);
        await store.close();
      }));

    it("forgets what is compacted and keeps what follows, also after a restart", () =>
      withLog(async (open) => {
        const store = await open();
        await store.append({
          append: [...makeEntries(1, 6, 1), ...makeEntries(7, 9, 2)],
          hardState: makeHardState(2, 1, 8),
          mustSync: true,
        });
        await store.compact(at(4, 1));
        await store.compact(at(2, 1));
        expect(await store.read(from(4))).toBe("compacted");
        expect(await store.read(from(5))).toEqual([...makeEntries(5, 6, 1), ...makeEntries(7, 9, 2)]);
        await store.close();
        const again = await open();
        expect(again.boot.logStart).toEqual(at(4, 1));
        expect(again.boot.termRuns).toEqual([
          { term: 1, firstIndex: 5 },
          { term: 2, firstIndex: 7 },
        ]);
        expect(again.boot.hardState).toEqual(makeHardState(2, 1, 8));
        expect(await again.read(from(4))).toBe("compacted");
        await again.compact(at(9, 2));
        await again.close();
        const third = await open();
        expect(third.boot).toEqual({
          hardState: makeHardState(2, 1, 8),
          logStart: at(9, 2),
          termRuns: [],
          lastIndex: 9,
          configurationEntries: [],
          window: [],
        });
        await third.append({ append: makeEntries(10, 11, 2), mustSync: true });
        expect(await third.read(from(10))).toEqual(makeEntries(10, 11, 2));
        await third.close();
      }));

    it("lets a snapshot take the place of the whole log", () =>
      withLog(async (open) => {
        const store = await open();
        await store.append({ append: makeEntries(1, 9, 1), mustSync: true });
        await store.append({ snapshot: at(20, 3), append: [], hardState: makeHardState(3, 0, 20), mustSync: true });
        expect(await store.read(from(9))).toBe("compacted");
        await store.append({ append: makeEntries(21, 22, 3), mustSync: true });
        await store.close();
        const again = await open();
        expect(again.boot.logStart).toEqual(at(20, 3));
        expect(again.boot.lastIndex).toBe(22);
        expect(again.boot.window).toEqual(makeEntries(21, 22, 3));
        await again.close();
      }));

    it("puts missing entries back without cutting off what follows them", () =>
      withLog(async (open) => {
        const store = await open();
        await store.append({ append: makeEntries(1, 9, 1), mustSync: true });
        // Of what is there, the same is there.
        const repair = [...makeEntries(2, 3, 1), ...makeEntries(6, 6, 1)];
        await store.append({ repair, append: makeEntries(10, 10, 2), mustSync: true });
        expect(await store.read(all)).toEqual([...makeEntries(1, 9, 1), ...makeEntries(10, 10, 2)]);
        await store.close();
        const again = await open();
        expect(again.boot.missing).toBeUndefined();
        expect(again.boot.lastIndex).toBe(10);
        expect(await again.read(all)).toEqual([...makeEntries(1, 9, 1), ...makeEntries(10, 10, 2)]);
        await again.close();
      }));

    it("keeps the newest promises of others, also when everything else is compacted", () =>
      withLog(async (open) => {
        const store = await open();
        expect(store.promises).toBeUndefined();
        await store.append({ append: makeEntries(1, 30, 1), promises: Uint8Array.of(1), mustSync: true });
        await store.append({ append: [], promises: Uint8Array.of(2, 3), mustSync: true });
        expect(store.promises).toEqual(Uint8Array.of(2, 3));
        for (let index = 31; index <= 60; index++)
          await store.append({ append: makeEntries(index, index, 1), mustSync: true });
        await store.compact(at(59, 1));
        await store.append({ append: [], snapshot: at(80, 1), mustSync: true });
        await store.close();
        const again = await open();
        expect(again.promises).toEqual(Uint8Array.of(2, 3));
        await again.close();
      }));

    it("refuses changes once it is closed", () =>
      withLog(async (open) => {
        const store = await open();
        await store.close();
        await store.close();
        const outcome = await store.append({ append: [], mustSync: true }).catch((error: unknown) => error);
        expect(isHoldfastError(outcome, "precondition")).toBe(true);
      }));
  });
}
