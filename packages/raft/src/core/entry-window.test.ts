import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { entryBytes, type Entry } from "./entries.ts";
import { EntryWindow } from "./entry-window.ts";
import type { LogIndex, Term } from "./types.ts";

function entry(index: number, size = 1): Entry {
  const payload = { kind: "application", data: new Uint8Array(size) } as const;
  return { term: 1 as Term, index: index as LogIndex, payload };
}

const at = (index: number): LogIndex => index as LogIndex;

describe("EntryWindow", () => {
  it("behaves as a plain list of entries does, under any commands", () => {
    const command = fc.record({ what: fc.constantFrom("push", "truncate", "drop", "shrink"), by: fc.nat(12) });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const window = new EntryWindow([], at(1));
        let model: Entry[] = [];
        let next = 1;
        for (const { what, by } of commands) {
          if (what === "push") {
            const added = entry(next++, by);
            window.push(added);
            model.push(added);
          } else if (what === "truncate") {
            next = Math.max(1, next - by);
            window.truncateFrom(at(next));
            model = model.filter(({ index }) => index < next);
          } else if (what === "drop") {
            const through = Math.min(next - 1, (model[0]?.index ?? next) + by - 1);
            window.dropThrough(at(through));
            model = model.filter(({ index }) => index > through);
          } else {
            window.shrink(by * 10, at(next - 1));
            while (model.reduce((sum, held) => sum + entryBytes(held), 0) > by * 10) model.shift();
          }
          expect(window.list()).toEqual(model);
          expect(window.count).toBe(model.length);
          expect(window.nextIndex).toBe(next);
          expect(window.bytes).toBe(model.reduce((sum, held) => sum + entryBytes(held), 0));
          for (const held of model) expect(window.at(held.index)).toBe(held);
        }
      }),
    );
  });

  it("reads at least one entry, and no more than the limit", () => {
    const window = new EntryWindow([entry(5, 10), entry(6, 10), entry(7, 10)], at(5));
    const read = (bytesMax: number, from = 5): number | undefined =>
      window.read({ fromIndex: at(from), toIndex: at(7), bytesMax })?.length;
    expect(read(0)).toBe(1);
    expect(read(2 * entryBytes(entry(5, 10)))).toBe(2);
    expect(read(Number.POSITIVE_INFINITY)).toBe(3);
    expect(read(100, 4)).toBeUndefined();
    expect(read(100, 8)).toBe(0);
  });
});
