import { create } from "@bufbuild/protobuf";
import {
  type DrillKind,
  GetFleetResponseSchema,
  GetHistoryResponseSchema,
  GetWeakestResponseSchema,
  PredictResponseSchema,
} from "@holdfast/proto/fleet/v1/fleet";
import { describe, expect, test } from "vitest";
import { fleetFromWire, weaknessesFromWire } from "./fleet.ts";
import { samplesFromWire, withSamples } from "./history.ts";
import { copiesText, predictionFromWire } from "./prediction.ts";

describe("the fleet", () => {
  test("an answer of an older server without balance, and a drill of a newer kind, still read", () => {
    const wire = create(GetFleetResponseSchema, { drills: [{ drillId: 5n, nodeId: 2, kind: 99 as DrillKind }] });
    const fleet = fleetFromWire(wire);
    expect(fleet.balance).toMatchObject({ isPaused: false, plannedCount: 0 });
    expect(fleet.drills).toEqual([{ drillId: 5n, nodeId: 2, kind: "stop", endsAtMs: 0 }]);
  });

  test("weak points that there are not are left out", () => {
    const wire = create(GetWeakestResponseSchema, { node: { nodeIds: [2] }, pair: {}, zone: { zone: "cellar" } });
    expect(weaknessesFromWire(wire).map(({ title }) => title)).toEqual(["Node", "Zone"]);
  });
});

describe("a prediction", () => {
  test.each([
    ["nothing lost", { isRepairable: true, isWritable: true }, "ok"],
    ["too few nodes left", { isRepairable: false, isWritable: true }, "warn"],
    ["no writes", { isRepairable: true, isWritable: false }, "warn"],
    ["a chunk without a copy", { isRepairable: true, isWritable: true, chunksByCopiesLeft: [1n] }, "crit"],
    ["files lost", { filesLost: 2n, isRepairable: true, isWritable: true }, "crit"],
  ])("%s", (_name, wire, tone) => expect(predictionFromWire(create(PredictResponseSchema, wire)).tone).toBe(tone));

  test("says in words what is counted, and that counting stops somewhere", () => {
    const wire = { filesLost: 10_000n, bytesToCopy: 3_900_000_000n, repairMs: 62_000n, isWritable: true };
    expect(predictionFromWire(create(PredictResponseSchema, wire)).facts).toEqual([
      ["Files without a readable copy", "10\u202f000 or more"],
      ["To copy", "3.9 GB, about 1 min"],
      ["All copies can be had again", "no"],
      ["Writes go on", "yes"],
    ]);
    expect(copiesText([7, 0, 410])).toBe("7 with none, 410 with 2");
    expect(copiesText([])).toBe("none");
  });
});

describe("history", () => {
  const wire = (...times: readonly number[]) =>
    samplesFromWire(
      create(GetHistoryResponseSchema, {
        samples: times.map((atMs) => ({
          atMs: BigInt(atMs),
          chunksUnder: 2n,
          chunksMissing: 1n,
          nodes: [{ nodeId: 3, usedBytes: 8n, writeP95TenthMs: 41 }],
        })),
      }),
    );

  test("missing chunks are short of copies too, and nodes are found by id", () => {
    const [sample] = wire(5);
    expect(sample).toMatchObject({ atMs: 5, shortCount: 3 });
    expect(sample?.nodes.get(3)).toEqual({ usedBytes: 8, writeP95Ms: 4.1 });
  });

  test("what overlaps counts once, nothing new changes nothing, and the oldest go first", () => {
    const kept = wire(1, 2, 3);
    expect(withSamples(kept, wire(2, 3))).toBe(kept);
    expect(withSamples(kept, wire(3, 4)).map(({ atMs }) => atMs)).toEqual([1, 2, 3, 4]);
    const many = wire(...Array.from({ length: 400 }, (_, step) => step));
    expect(withSamples([], many).map(({ atMs }) => atMs)).toEqual(many.slice(-360).map(({ atMs }) => atMs));
  });
});
