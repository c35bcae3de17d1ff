import { describe, expect, it } from "vitest";
import { MemoryView } from "../testing/memory-view.ts";
import { dedupAgeMsMax, dedupOutcomesMax, dedupOutcomesMin, dedupTable, evolveDedup, findOutcome } from "./dedup.ts";
import { counterTable } from "./state.ts";
import { tablesOf } from "./tables.ts";

function world(): {
  readonly keep: (requestId: string, atMs: number) => void;
  readonly knows: (requestId: string) => boolean;
  readonly view: MemoryView;
} {
  const view = new MemoryView();
  const tables = tablesOf(view);
  let index = 0;
  return {
    view,
    keep: (requestId, atMs) => {
      index += 1;
      const batch = {
        requestId,
        actor: "test",
        atMs,
        events: [],
        outcome: Uint8Array.of(index % 256),
        sequence: index,
      };
      evolveDedup(tables, batch, { index, atMs, actor: "test" });
    },
    knows: (requestId) => findOutcome(tables, requestId) !== undefined,
  };
}

describe("dedup window", () => {
  it("keeps outcomes under their request", () => {
    const { keep, view } = world();
    keep("a", 5);
    keep("", 6);
    expect(findOutcome(tablesOf(view), "a")).toEqual({ index: 1, atMs: 5, outcome: Uint8Array.of(1) });
    expect(view.rowsOf(dedupTable.tag)).toHaveLength(1);
  });

  it("forgets by age, a few with each batch, once enough newer ones are there", () => {
    const { keep, knows, view } = world();
    for (let number = 0; number < 10; number++) keep(`r${number}`, 1000);
    // As if so many had followed that as many as are always kept are newer than these.
    tablesOf(view).set(counterTable, ["dedup:next"], { value: dedupOutcomesMin + 10 });
    keep("edge", 1000 + dedupAgeMsMax);
    expect(knows("r0")).toBe(true);
    keep("late", 1001 + dedupAgeMsMax);
    expect([knows("r3"), knows("r4")]).toEqual([false, true]);
    keep("later", 1001 + dedupAgeMsMax);
    keep("latest", 1001 + dedupAgeMsMax);
    expect([knows("r9"), knows("edge"), knows("latest")]).toEqual([false, true, true]);
  });

  it("forgets nothing when the leader's clock jumps ahead", () => {
    const { keep, knows } = world();
    keep("before", 1000);
    for (let number = 0; number < 20; number++) keep(`after${number}`, 1000 + 30 * dedupAgeMsMax);
    expect(knows("before")).toBe(true);
  });

  it("forgets by number", () => {
    const { keep, knows, view } = world();
    for (let number = 0; number < 6; number++) keep(`r${number}`, 1);
    // As if so many had followed that the window is one short of full.
    tablesOf(view).set(counterTable, ["dedup:next"], { value: dedupOutcomesMax - 1 });
    keep("full", 1);
    expect(knows("r0")).toBe(true);
    keep("one more", 1);
    expect([knows("r0"), knows("r1")]).toEqual([false, true]);
    keep("two more", 1);
    expect([knows("r1"), knows("r2"), knows("full")]).toEqual([false, true, true]);
  });
});
