import { describe, expect, it } from "vitest";
import { runSeed } from "./run-seed.ts";

describe("a simulated run", () => {
  it("is replayed exactly from its seed", async () => {
    const first = await runSeed(7);
    const second = await runSeed(7);
    expect(second).toEqual(first);
    expect((await runSeed(8)).traceHash).not.toBe(first.traceHash);
  });
});
