import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emptyMembership, type Entry } from "./entries.ts";
import { LogView } from "./log-view.ts";
import { nobody, type LogIndex, type Term } from "./types.ts";

const at = (index: number): LogIndex => index as LogIndex;
const inTerm = (term: number): Term => term as Term;

function entry(term: number, index: number): Entry {
  return { term: inTerm(term), index: at(index), payload: { kind: "empty" } };
}

function emptyLog(): LogView {
  return new LogView({
    hardState: { term: inTerm(0), vote: nobody, commit: at(0) },
    logStart: { term: inTerm(0), index: at(0), membership: emptyMembership },
    termRuns: [],
    lastIndex: at(0),
    configurationEntries: [],
    window: [],
    appliedIndex: at(0),
  });
}

function logOf(...terms: readonly number[]): LogView {
  const log = emptyLog();
  log.write(terms.map((term, place) => entry(term, place + 1)));
  return log;
}

describe("LogView", () => {
  it("knows the term of every retained entry, whatever was written, cut off and compacted", () => {
    const command = fc.record({ what: fc.constantFrom("append", "overwrite", "compact"), by: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        const log = emptyLog();
        const model = new Map([[0, 0]]);
        let term = 1;
        for (const { what, by } of commands) {
          if (what === "compact") {
            const through = Math.min(log.lastIndex, log.start.index + by);
            log.committed = at(Math.max(log.committed, through));
            log.applied = log.committed;
            log.compact({ term: log.termAt(at(through)) ?? inTerm(0), index: at(through) });
            for (const index of [...model.keys()]) if (index < through) model.delete(index);
          } else {
            if (by % 2 === 0) term++;
            const last = what === "append" ? log.lastIndex : Math.max(log.committed, log.lastIndex - by);
            log.write([entry(term, last + 1), entry(term, last + 2)]);
            for (const index of [...model.keys()]) if (index > last) model.delete(index);
            model.set(last + 1, term).set(last + 2, term);
          }
          for (let index = 0; index <= log.lastIndex + 1; index++) expect(log.termAt(at(index))).toBe(model.get(index));
          expect(log.lastIndex).toBe(Math.max(...model.keys()));
        }
      }),
    );
  });

  it("is up to date by term first, then by length (§3.6.1)", () => {
    const log = logOf(1, 1, 2);
    const is = (term: number, index: number): boolean => log.isUpToDate({ term: inTerm(term), index: at(index) });
    expect([is(2, 3), is(2, 4), is(3, 1), is(2, 2), is(1, 9)]).toEqual([true, true, true, false, false]);
  });

  it("finds where another log may agree, a term at a time", () => {
    const log = logOf(1, 1, 3, 3, 3, 5);
    const find = (index: number, term: number): unknown => log.findAgreement(at(index), inTerm(term));
    expect(find(6, 5)).toEqual({ term: 5, index: 6 });
    expect(find(6, 4)).toEqual({ term: 3, index: 5 });
    expect(find(5, 2)).toEqual({ term: 1, index: 2 });
    expect(find(5, 0)).toEqual({ term: 0, index: 0 });
    expect(find(9, 2)).toEqual({ term: 0, index: 9 });
  });

  it("takes the disk's word only for the very entry that is there", () => {
    const log = logOf(1, 1);
    log.persisting = at(2);
    log.write([entry(2, 2)]);
    expect([log.durable, log.persisting]).toEqual([0, 1]);
    log.markDurable({ term: inTerm(1), index: at(2) });
    expect(log.durable).toBe(0);
    log.markDurable({ term: inTerm(2), index: at(2) });
    expect([log.durable, log.persisting]).toEqual([2, 2]);
  });

  it("refuses to cut off what is committed, and gaps", () => {
    const log = logOf(1, 1);
    log.committed = at(2);
    expect(() => log.write([entry(2, 2)])).toThrow("committed entries stay");
    expect(() => log.write([entry(2, 4)])).toThrow("no gaps");
  });

  it("begins anew after a snapshot", () => {
    const log = logOf(1, 1);
    log.restore({ term: inTerm(4), index: at(10), membership: emptyMembership });
    expect(log.last).toEqual({ term: 4, index: 10 });
    expect([log.firstIndex, log.committed, log.termAt(at(2))]).toEqual([11, 10, undefined]);
    log.write([entry(4, 11)]);
    expect(log.read({ fromIndex: at(11), toIndex: at(11), bytesMax: 0 })).toHaveLength(1);
  });
});
