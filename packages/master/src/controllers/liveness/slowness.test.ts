import { describe, expect, test } from "vitest";
import { presets } from "../presets.ts";
import { planSlowness, type LatencySample, type Slowness } from "./slowness.ts";

const slownessLimits = presets.demo.caution;

const { slowForMs, fineForMs } = slownessLimits;

/** Three quiet nodes and node 1, looked at every half second. */
class Looks {
  #memory: ReadonlyMap<number, Slowness> = new Map();
  nowMs = 0;

  look(forMs: number, own: Partial<LatencySample>, others: Partial<LatencySample> = {}): Slowness | undefined {
    const quiet = { writeP95TenthMs: 200, readP95TenthMs: 100, ...others };
    const samples = [
      { nodeId: 1, writeP95TenthMs: 200, readP95TenthMs: 100, ...own },
      ...[2, 3, 4].map((nodeId) => ({ nodeId, ...quiet })),
    ];
    const endMs = this.nowMs + forMs;
    for (; this.nowMs <= endMs; this.nowMs += 500)
      this.#memory = planSlowness(this.#memory, { nowMs: this.nowMs, samples, limits: slownessLimits });
    expect([2, 3, 4].some((nodeId) => this.#memory.get(nodeId)?.isGray === true)).toBe(false);
    return this.#memory.get(1);
  }
}

describe("planSlowness", () => {
  test("slow for a while makes a node gray, and it says how slow; a moment does not", () => {
    const looks = new Looks();
    expect(looks.look(slowForMs - 1000, { writeP95TenthMs: 5000 })?.isGray).toBe(false);
    expect(looks.look(1000, {})?.isGray).toBe(false);
    expect(looks.look(slowForMs, { writeP95TenthMs: 5000 })).toMatchObject({
      isGray: true,
      reason: "writes take 500 ms (95th percentile), 20 ms on the other nodes",
    });
  });

  test("a gray node has to be fine for longer, and better than merely not slow", () => {
    const looks = new Looks();
    looks.look(slowForMs, { readP95TenthMs: 2000 });
    expect(looks.look(fineForMs - 1000, {})?.isGray).toBe(true);
    expect(looks.look(500, { readP95TenthMs: 2000 })?.isGray).toBe(true);
    expect(looks.look(fineForMs * 2, { readP95TenthMs: 400 })?.isGray).toBe(true);
    expect(looks.look(fineForMs, {})?.isGray).toBe(false);
  });

  test.each([
    { what: "three times as slow, but nobody would notice", own: { writeP95TenthMs: 900 }, others: {} },
    { what: "slow when all are slow", own: { writeP95TenthMs: 9000 }, others: { writeP95TenthMs: 4000 } },
    { what: "nothing to compare with", own: { writeP95TenthMs: 9000 }, others: { writeP95TenthMs: 0 } },
    { what: "idle", own: { writeP95TenthMs: 0, readP95TenthMs: 0 }, others: {} },
  ])("not gray: $what", ({ own, others }) => {
    expect(new Looks().look(60_000, own, others)?.isGray).toBe(false);
  });

  test("a gray node that nobody asks any more is tried again in the end", () => {
    const looks = new Looks();
    looks.look(slowForMs, { writeP95TenthMs: 5000 });
    const idle = { writeP95TenthMs: 0, readP95TenthMs: 0 };
    expect(looks.look(2 * fineForMs, idle)?.isGray).toBe(true);
    expect(looks.look(2 * fineForMs, idle)?.isGray).toBe(false);
  });

  test("one of two others being slow, too, does not hide it", () => {
    const samples = [5000, 200, 6000].map((writeP95TenthMs, index) => ({
      nodeId: index + 1,
      writeP95TenthMs,
      readP95TenthMs: 0,
    }));
    let memory: ReadonlyMap<number, Slowness> = new Map();
    for (let nowMs = 0; nowMs <= slowForMs; nowMs += 500)
      memory = planSlowness(memory, { nowMs, samples, limits: slownessLimits });
    expect([1, 2, 3].map((nodeId) => memory.get(nodeId)?.isGray)).toEqual([true, false, true]);
  });
});
