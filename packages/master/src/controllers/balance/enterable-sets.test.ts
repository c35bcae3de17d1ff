import fc from "fast-check";
import { expect, test } from "vitest";
import type { CountedSet } from "../../domain/chunks/counted-set.ts";
import { placementPartners } from "../../domain/chunks/placement/plan.ts";
import { copyNode, dead } from "../testing/copy-node.ts";
import { EnterableSets } from "./enterable-sets.ts";

test("of all sets those are found that a node may enter, and no set that a removed or dead node is in", () => {
  const kinds = fc.array(fc.record({ zone: fc.constantFrom("a", "b", "c"), isDead: fc.boolean() }), {
    minLength: 14,
    maxLength: 30,
  });
  const replications = fc.integer({ min: 1, max: 3 });
  fc.assert(
    fc.property(
      kinds,
      replications,
      fc.array(fc.array(fc.nat(29), { minLength: 3, maxLength: 3 })),
      (all, replication, some) => {
        const nodes = all.map(({ zone, isDead }, index) => copyNode(index + 1, { zone, ...(isDead ? dead : {}) }));
        const sets = some.map((ids): CountedSet => {
          const nodeIds = [...new Set(ids.map((id) => 1 + (id % nodes.length)))].toSorted(
            (left, right) => left - right,
          );
          return { key: nodeIds.join(","), nodeIds, heldCount: 1, heldBytes: 1 };
        });
        const enterable = new EnterableSets({ nodes, sets, replication });
        const takers = nodes.filter((node) => node.isActive && node.liveness === "live");
        for (const target of takers) {
          const found = new Set([...enterable.of(target.nodeId)].map(({ set }) => set));
          for (const set of sets) {
            const isWhole =
              set.nodeIds.length === replication && set.nodeIds.every((id) => nodes[id - 1]?.stays === true);
            for (const sourceId of set.nodeIds) {
              const first = nodes.find((node) => node.nodeId === set.nodeIds.find((id) => id !== sourceId));
              const isPartner = first === undefined || placementPartners(first, takers).includes(target);
              if (!isWhole || target === first) continue;
              expect(enterable.mayEnter(set, { sourceId, targetId: target.nodeId })).toBe(isPartner);
              if (isPartner) expect(found).toContain(set);
            }
            if (!isWhole) expect(found).not.toContain(set);
          }
        }
      },
    ),
  );
});
