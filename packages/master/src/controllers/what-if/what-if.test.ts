import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CountedSet } from "../../domain/chunks/counted-set.ts";
import type { CopyNode } from "../repair/copy-node.ts";
import { copyNode as node, dead, leaving } from "../testing/copy-node.ts";
import { withOrder, withoutNodes } from "./change-nodes.ts";
import { forecast, type Scenario } from "./forecast.ts";
import { summarise } from "./summary.ts";
import { whole } from "../testing/whole.ts";
import { findWeakest } from "./weakest.ts";

const set = (nodeIds: readonly number[], heldCount: number): CountedSet => {
  return { key: nodeIds.join(","), nodeIds, heldCount, heldBytes: heldCount * 10 };
};

function scenario(fields: Partial<Scenario>): Scenario {
  const nodes = [node(1), node(2), node(3), node(4)];
  const rates = { measuredBytesPerSecond: 0, bytesPerSecondMax: 10 };
  return { nodes, sets: [set([1, 2, 3], 6)], replication: 3, writeCopiesMin: 2, ...rates, ...fields };
}

describe("forecast", () => {
  test("as it is, nothing is to be done", () => {
    expect(forecast(scenario({}))).toMatchObject({
      ...{ chunksByCopiesLeft: [0, 0, 0, 6], chunksLost: 0, bytesToCopy: 0, repairMs: 0 },
      ...{ isRepairable: true, isWritable: true },
    });
  });

  test("a lost node: what is copied, for how long, and how full the others get", () => {
    const after = forecast(withoutNodes(scenario({}), [1]));
    expect(after).toMatchObject({
      chunksByCopiesLeft: [0, 0, 6, 0],
      bytesToCopy: 60,
      repairMs: 2000,
      isRepairable: true,
    });
    expect(after.fills.map((fill) => fill.nodeId)).toEqual([2, 3, 4]);
    expect(after.fills.reduce((sum, fill) => sum + fill.usedBytes, 0)).toBe(360);
    expect(forecast(withoutNodes(scenario({ measuredBytesPerSecond: 60 }), [1])).repairMs).toBe(1000);
  });

  test("lost files, missing nodes, missing room and too few to write are told apart", () => {
    const all = forecast(withoutNodes(scenario({}), [1, 2, 3]));
    expect(all).toMatchObject({ chunksLost: 6, isRepairable: false, isWritable: false });
    expect(all.lostSets.map((one) => one.key)).toEqual(["1,2,3"]);
    expect(forecast(withoutNodes(scenario({}), [1, 4]))).toMatchObject({ isRepairable: false, isWritable: true });
    const tight = [node(1), ...[2, 3, 4].map((nodeId) => node(nodeId, { freeBytes: 105 }))];
    const sets = [set([1, 2], 3)];
    expect(forecast(withoutNodes(scenario({ nodes: tight, sets, replication: 2 }), [1])).isRepairable).toBe(false);
  });

  test("orders: a drain copies at no risk, maintenance copies nothing, more copies cost room", () => {
    const drained = withOrder(scenario({}), { case: "drainNode", value: { nodeId: 1, reason: "" } });
    expect(forecast(drained)).toMatchObject({ chunksByCopiesLeft: [0, 0, 0, 6], bytesToCopy: 60, isRepairable: true });
    const away = {
      case: "startMaintenance",
      value: { nodeId: 1, durationMs: 1, reason: "", isForced: false },
    } as const;
    expect(forecast(withOrder(scenario({}), away))).toMatchObject({ chunksByCopiesLeft: [0, 0, 6, 0], bytesToCopy: 0 });
    const more = { case: "setReplication", value: { replication: 4 } } as const;
    expect(forecast(withOrder(scenario({}), more))).toMatchObject({ bytesToCopy: 60, isRepairable: true });
    const nodes = [node(1, leaving), node(2), node(3), node(4)];
    const back = withOrder(scenario({ nodes }), { case: "activateNode", value: { nodeId: 1 } });
    expect(forecast(back)).toMatchObject({ bytesToCopy: 0 });
  });

  test("a replacement: the newcomer alone gets what the old one holds, under the old name; the others stay as full", () => {
    const value = { tokenSha256: new Uint8Array(32), lifetimeMs: 1, label: "", replacesNodeId: 1 };
    const order = { case: "issueJoinToken", value } as const;
    for (const old of [node(1), node(1, dead)]) {
      const nodes = [old, node(2), node(3), node(4)];
      const after = forecast(withOrder(scenario({ nodes }), order));
      expect(after).toMatchObject({ bytesToCopy: 60, repairMs: 6000, isRepairable: true, isWritable: true });
      expect(after.chunksByCopiesLeft).toEqual(old.counts ? [0, 0, 0, 6] : [0, 0, 6, 0]);
      expect(after.fills.map(({ nodeId, usedBytes }) => [nodeId, usedBytes])).toEqual([
        [1, 60],
        [2, 100],
        [3, 100],
        [4, 100],
      ]);
    }
    const plain = { case: "issueJoinToken", value: { ...value, replacesNodeId: 0 } } as const;
    expect(forecast(withOrder(scenario({}), plain))).toEqual(forecast(scenario({})));
  });

  test("the paragraph says it in words", () => {
    const now = scenario({});
    const lost = forecast(withoutNodes(now, [1]));
    expect(summarise({ subject: "Without node-1", forecast: lost, filesLost: 0, nodes: now.nodes, refusal: "" })).toBe(
      "Without node-1: every chunk keeps a copy. 60 B would be copied in about 2 seconds. " +
        "Afterwards the fullest node would be node-2 with 12 %. Writes go on.",
    );
    const gone = forecast(withoutNodes(now, [1, 2, 3]));
    const words = summarise({
      subject: "Without three",
      forecast: gone,
      filesLost: 2,
      nodes: now.nodes,
      refusal: "No.",
    });
    expect(words).toContain("6 chunks of 2 files would have no copy that can be read");
    expect(words).toContain("Writes would stop");
    expect(words).toContain("The order would be refused: No.");
  });
});

describe("findWeakest", () => {
  test("one zone has no weakest zone; two nodes are a pair", () => {
    expect(whole(findWeakest([node(1)], [set([1], 1)]))).toMatchObject({ pair: undefined, zone: undefined });
    const nodes = [node(1, { zone: "a" }), node(2, { zone: "a" }), node(3, { zone: "b" })];
    const weakest = whole(findWeakest(nodes, [set([1, 2], 5), set([1, 3], 9), set([3], 1)]));
    expect(weakest.node).toMatchObject({ nodeIds: [3], chunksLost: 1, chunksAtOne: 9 });
    expect(weakest.pair).toMatchObject({ nodeIds: [1, 3], chunksLost: 10 });
    expect(weakest.zone).toMatchObject({ zone: "a", nodeIds: [1, 2], chunksLost: 5, chunksAtOne: 10 });
  });

  test("whatever the cluster: no node, pair or zone is worse than the one that is named", () => {
    const someNodes = fc.array(fc.record({ zone: fc.constantFrom("a", "b", "c"), isDead: fc.boolean() }), {
      minLength: 6,
      maxLength: 6,
    });
    const someSets = fc.array(
      fc.tuple(fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 4 }), fc.integer({ min: 1, max: 9 })),
    );
    fc.assert(
      fc.property(someNodes, someSets, (kinds, some) => {
        const nodes = kinds.map(({ zone, isDead }, index) => node(index + 1, { zone, ...(isDead ? dead : {}) }));
        const sets = some.map(([ids, count]) =>
          set(
            ids.toSorted((left, right) => left - right),
            count,
          ),
        );
        const alive = nodes.filter((one) => one.counts);
        const weakest = whole(findWeakest(nodes, sets));
        const without = (ids: readonly number[]): [number, number] => {
          const left = sets.map((one) => ({
            ...one,
            before: one.nodeIds.filter((id) => nodes[id - 1]?.counts === true).length,
            after: one.nodeIds.filter((id) => nodes[id - 1]?.counts === true && !ids.includes(id)).length,
          }));
          const sum = (want: (one: (typeof left)[number]) => boolean): number =>
            left.filter((one) => one.before > 0 && want(one)).reduce((total, one) => total + one.heldCount, 0);
          return [sum((one) => one.after === 0), sum((one) => one.after === 1)];
        };
        const check = (found: typeof weakest.node, choices: readonly (readonly number[])[]): void => {
          expect(found === undefined).toBe(choices.length === 0);
          if (found === undefined) return;
          expect(without(found.nodeIds)).toEqual([found.chunksLost, found.chunksAtOne]);
          for (const [lost, one] of choices.map(without)) {
            expect(lost).toBeLessThanOrEqual(found.chunksLost);
            if (lost === found.chunksLost) expect(one).toBeLessThanOrEqual(found.chunksAtOne);
          }
        };
        const ids = (some: readonly CopyNode[]): number[] => some.map((one) => one.nodeId);
        check(
          weakest.node,
          ids(alive).map((id) => [id]),
        );
        check(
          weakest.pair,
          ids(alive).flatMap((one) =>
            ids(alive)
              .filter((other) => other > one)
              .map((other) => [one, other]),
          ),
        );
        const zones = [...new Set(alive.map((one) => one.zone))];
        check(weakest.zone, zones.length < 2 ? [] : zones.map((zone) => ids(alive.filter((one) => one.zone === zone))));
      }),
    );
  });
});
