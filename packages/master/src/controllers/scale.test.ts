import { expect, test } from "vitest";
import type { CountedSet } from "../domain/chunks/counted-set.ts";
import { planBalance } from "./balance/plan.ts";
import { planDrains } from "./drain/plan.ts";
import { presets } from "./presets.ts";
import { classifySets } from "./repair/classify-sets.ts";
import type { CopyNode } from "./repair/copy-node.ts";
import { copyNode, dead, leaving } from "./testing/copy-node.ts";
import { withoutNodes } from "./what-if/change-nodes.ts";
import { forecast } from "./what-if/forecast.ts";
import { whole } from "./testing/whole.ts";
import { findWeakest } from "./what-if/weakest.ts";

const nodeCount = 1000;
const chunksPerSet = 222;
const chunkBytes = 4 << 20;

/** A thousand nodes with ten partners each: 45,000 sets, which stand for ten million chunks. */
function manySets(): readonly CountedSet[] {
  const sets: CountedSet[] = [];
  for (let first = 1; first <= nodeCount; first++) {
    for (let one = 1; one <= 10; one++) {
      for (let other = one + 1; other <= 10; other++) {
        const ids = [first, 1 + ((first + one * 97) % nodeCount), 1 + ((first + other * 97) % nodeCount)];
        const nodeIds = ids.toSorted((left, right) => left - right);
        sets.push({ key: nodeIds.join(","), nodeIds, heldCount: chunksPerSet, heldBytes: chunksPerSet * chunkBytes });
      }
    }
  }
  return sets;
}

test("a thousand nodes and ten million chunks are planned by their copy sets, not by their chunks", () => {
  const sets = manySets();
  const nodes = Array.from({ length: nodeCount }, (_, index): CopyNode => {
    const fields = index === 0 ? dead : index === 1 ? leaving : {};
    const room = { capacityBytes: 2 ** 40, freeBytes: 2 ** 39 };
    return copyNode(index + 1, { zone: `zone-${index % 20}`, ...room, ...fields });
  });
  const started = process.cpuUsage();
  const classes = classifySets(sets, { nodes, replication: 3 });
  const plan = { nodes, sets, replication: 3, chunkSizeBytes: chunkBytes };
  const balance = planBalance({ ...plan, active: [], limits: presets.production.balance });
  const drains = planDrains({ ...plan, stoppedReason: "" }, [2]);
  const rates = { writeCopiesMin: 2, measuredBytesPerSecond: 0, bytesPerSecondMax: 1 };
  const lost = forecast(withoutNodes({ ...plan, ...rates }, [3, 4, 5]));
  const weakest = whole(findWeakest(nodes, sets));
  const { user, system } = process.cpuUsage(started);
  expect(classes.short.length).toBeGreaterThan(100);
  expect(classes.departing.length).toBeGreaterThan(100);
  expect(balance.plannedMoves).toBeGreaterThanOrEqual(0);
  expect(drains[0]).toMatchObject({ nodeId: 2, blockedReasons: [] });
  expect(lost.chunksByCopiesLeft.reduce((sum, count) => sum + count, 0)).toBe(sets.length * chunksPerSet);
  expect(weakest.pair?.chunksAtOne).toBeGreaterThan(0);
  // All of it together, once; each second's look is a small part of it. Ten million chunks one by one would take a minute.
  expect((user + system) / 1e6).toBeLessThan(10);
});
