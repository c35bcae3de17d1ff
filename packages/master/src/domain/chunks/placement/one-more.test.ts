import fc from "fast-check";
import { expect, test } from "vitest";
import type { PlacementNode } from "../../fleet/placement-nodes.ts";
import { OneMorePlan, type OneMoreRequest } from "./one-more.ts";
import { PartnerOrder } from "./partner-order.ts";
import { drawOne, farthest, placementObstacle, placementPartners } from "./plan.ts";

const chunkSizeBytes = 10;

function node(nodeId: number, fields: Partial<PlacementNode>): PlacementNode {
  const names = { nodeId, name: `node-${nodeId}`, address: "", zone: "", rack: "" };
  const room = { capacityBytes: 1000, freeBytes: 900, isWritable: true, activeWriteCount: 0 };
  return { ...names, ...room, isActive: true, liveness: "live", isCautioned: false, ...fields };
}

/** Says the same in one pass over all nodes. */
function drawAmongAll(nodes: readonly PlacementNode[], request: OneMoreRequest): number | undefined {
  const { chunkId, holderNodeIds, isExcluded, isZoneAllowed } = request;
  const holders = nodes.filter((each) => holderNodeIds.includes(each.nodeId));
  const usable = nodes.filter(
    (each) =>
      !holderNodeIds.includes(each.nodeId) &&
      !isExcluded(each.nodeId) &&
      placementObstacle(each, chunkSizeBytes) === undefined &&
      isZoneAllowed?.(each.zone) !== false,
  );
  const trusted = usable.filter((each) => !each.isCautioned);
  const eligible = trusted.length > 0 ? trusted : usable;
  const [first] = holders;
  const partners = first === undefined ? eligible : placementPartners(first, eligible);
  return partners.length === 0 ? undefined : drawOne(farthest(partners, holders), chunkId).nodeId;
}

const nodesArbitrary = fc
  .array(
    fc.record({
      zone: fc.constantFrom("a", "b", "c"),
      rack: fc.constantFrom("", "1"),
      freeBytes: fc.constantFrom(5, 500, 900),
      isCautioned: fc.boolean(),
      liveness: fc.constantFrom<PlacementNode["liveness"]>("live", "live", "live", "dead"),
    }),
    { minLength: 1, maxLength: 120 },
  )
  .map((all) => all.map((fields, index) => node(index + 1, fields)));

test("a place is drawn as by a pass over all nodes, whatever is excluded", () => {
  fc.assert(
    fc.property(
      nodesArbitrary,
      fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 3 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 0, max: 2 }),
      (nodes, holderNodeIds, chunkId, strictness) => {
        const isExcluded = (nodeId: number): boolean => strictness > 0 && (nodeId * 31 + chunkId) % 9 < 4 * strictness;
        const isZoneAllowed = strictness === 2 ? (zone: string): boolean => zone === "a" : undefined;
        const request = { chunkId, holderNodeIds, isExcluded, isZoneAllowed };
        const plan = new OneMorePlan({ nodes, chunkSizeBytes });
        expect(plan.draw(request)).toBe(drawAmongAll(nodes, request));
      },
    ),
    { numRuns: 1000 },
  );
});

test("lists that were made ahead say the same", () => {
  const nodes = Array.from({ length: 100 }, (_, index) => node(index + 1, { zone: `${index % 3}` }));
  const warm = PartnerOrder.among(nodes);
  for (let look = 0; look < 4; look++) warm.warm(30);
  const cold = PartnerOrder.among(nodes);
  for (const first of nodes) {
    const isFit = (nodeId: number): boolean => (nodeId * first.nodeId) % 5 === 0;
    expect([...warm.partnersOf(first, isFit, 10)]).toEqual([...cold.partnersOf(first, isFit, 10)]);
  }
});

test("an order is kept while ids and zones stay, and made anew when they change", () => {
  const nodes = [node(1, {}), node(2, { zone: "b" }), node(3, {})];
  const order = PartnerOrder.among(nodes);
  const fuller = nodes.map((each) => ({ ...each, freeBytes: 1 }));
  expect(PartnerOrder.among(fuller, order)).toBe(order);
  const moved = [node(1, {}), node(2, { zone: "c" }), node(3, {})];
  expect(PartnerOrder.among(moved, order)).not.toBe(order);
  expect(PartnerOrder.among([...nodes, node(4, {})], order)).not.toBe(order);
});
