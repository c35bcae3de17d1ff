import { describe, expect, test } from "vitest";
import { ChunkWorld } from "../../domain/chunks/testing/chunk-world.ts";
import { listNodes } from "../../domain/fleet/tables.ts";
import { presets } from "../presets.ts";
import { planCautions, type StreamBreaks } from "./cautions.ts";

const seldom: StreamBreaks = { count: 0, lastAgoMs: Number.POSITIVE_INFINITY };

class World extends ChunkWorld {
  flap(nodeId: number, times: number, drillId = 0): void {
    for (let time = 0; time < times; time++) {
      this.atMs += 20_000;
      this.fold({ kind: "nodeDown", nodeId, reason: "silent", drillId });
      this.atMs += 1000;
      this.fold({ kind: "nodeUp", nodeId });
    }
  }

  caution(nodeId: number, breaks: StreamBreaks = seldom): string {
    const seen = { atMs: this.atMs, slowness: new Map(), breaksOf: () => breaks, limits: presets.demo.caution };
    return planCautions(this.tables, listNodes(this.tables), seen).get(nodeId)?.reason ?? "";
  }
}

describe("planCautions", () => {
  test("a node that went down three times is held back, longer with every further time, and forgiven in the end", () => {
    const world = new World();
    world.flap(1, 2);
    expect(world.caution(1)).toBe("");
    world.flap(1, 1);
    expect(world.caution(1)).toContain("went down 3 times in short order: for 30 s more");
    expect(world.caution(2)).toBe("");
    world.atMs += 30_000;
    expect(world.caution(1)).toBe("");
    world.flap(1, 2);
    expect(world.caution(1)).toContain("went down 5 times in short order: for 120 s more");
    world.flap(1, 20);
    expect(world.caution(1)).toContain("for 600 s more");
    world.atMs += 11 * 60_000;
    world.flap(1, 1);
    expect(world.caution(1)).toBe("");
  });

  test("who is away by a drill or for maintenance is not held back for it", () => {
    const world = new World();
    world.flap(1, 5, 7);
    world.fold({ kind: "maintenanceStarted", nodeId: 2, endsAtMs: 1e12, reason: "" });
    world.flap(2, 5);
    expect([world.caution(1), world.caution(2)]).toEqual(["", ""]);
  });

  test("a gray node says why, and names the drill that made it slow", () => {
    const world = new World();
    const gray = { isGray: true, otherwiseSinceMs: undefined, idleSinceMs: undefined, reason: "writes take 500 ms" };
    const reasons = (): readonly (string | undefined)[] => {
      const seen = { atMs: world.atMs, slowness: new Map([[1, gray]]), breaksOf: () => seldom };
      const cautions = planCautions(world.tables, listNodes(world.tables), { ...seen, limits: presets.demo.caution });
      return [cautions.get(1)?.reason, cautions.get(2)?.reason];
    };
    expect(reasons()).toEqual(["writes take 500 ms", undefined]);
    const drill = {
      kind: "drillStarted",
      drillId: 4,
      nodeId: 1,
      drillKind: "slow",
      endsAtMs: 1e12,
      delayMs: 9,
      chunkId: 0,
    } as const;
    world.fold(drill);
    expect(reasons()).toEqual(["writes take 500 ms (drill 4)", undefined]);
  });

  test("a connection that breaks again and again holds a node back for a while", () => {
    const world = new World();
    expect(world.caution(1, { count: 3, lastAgoMs: 0 })).toBe("");
    expect(world.caution(1, { count: 4, lastAgoMs: 29_999 })).toContain("its connection broke 4 times");
    expect(world.caution(1, { count: 9, lastAgoMs: 30_000 })).toBe("");
  });
});
