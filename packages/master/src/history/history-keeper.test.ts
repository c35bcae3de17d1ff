import { create } from "@bufbuild/protobuf";
import { HistorySampleSchema, type HistorySample } from "@holdfast/proto/fleet/v1/fleet";
import type { Network } from "@holdfast/rpc";
import { expect, test } from "vitest";
import { HistoryKeeper, historySamplesMax, nodeSamplesMax } from "./history-keeper.ts";

function keeper(): HistoryKeeper {
  const unused = (): never => {
    throw new Error("nothing is fetched, and no time passes here");
  };
  const network: Network = { client: unused, listen: unused, close: unused };
  const leadership = { isReady: () => true, term: () => 1, leaderAddress: () => "" };
  return new HistoryKeeper({
    timers: { after: unused, every: unused, sleep: unused },
    network,
    leadership,
    sample: unused,
  });
}

function sample(atMs: number, nodeCount: number): HistorySample {
  const nodes = Array.from({ length: nodeCount }, (_, index) => ({ nodeId: index + 1 }));
  return create(HistorySampleSchema, { atMs: BigInt(atMs), nodesTotal: nodeCount, nodes });
}

test("a sample that is not newer changes nothing, and the oldest go", () => {
  const history = keeper();
  for (let atMs = 1; atMs <= historySamplesMax + 5; atMs++) {
    history.take([sample(atMs, 1)]);
    history.take([sample(atMs - 1, 1), sample(atMs, 1)]);
  }
  const samples = history.since(0);
  expect(samples).toHaveLength(historySamplesMax);
  expect(samples.at(0)?.atMs).toBe(6n);
  expect(history.since(historySamplesMax + 4)).toHaveLength(1);
});

test("of a thousand nodes only the newest samples are kept one by one", () => {
  const history = keeper();
  for (let atMs = 1; atMs <= 100; atMs++) history.take([sample(atMs, 1000)]);
  const samples = history.since(0);
  expect(samples).toHaveLength(100);
  expect(samples.every(({ nodesTotal }) => nodesTotal === 1000)).toBe(true);
  expect(samples.reduce((sum, { nodes }) => sum + nodes.length, 0)).toBe(nodeSamplesMax);
  expect(samples.at(-1)?.nodes).toHaveLength(1000);
  expect(samples.at(0)?.nodes).toEqual([]);
});
