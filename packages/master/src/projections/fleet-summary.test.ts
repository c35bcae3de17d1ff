import { expect, test } from "vitest";
import { ChunkWorld } from "../domain/chunks/testing/chunk-world.ts";
import type { FleetFact } from "../domain/fleet/fleet-events.ts";
import { fleetSampleEvents } from "../testing/sample-fleet-events.ts";
import { summarise } from "./event-summary.ts";

const facts: readonly (readonly [FleetFact, string])[] = [
  [{ kind: "nodeDown", nodeId: 2, reason: "silent", drillId: 0 }, "Node node-2 is down: silent"],
  [{ kind: "nodeDown", nodeId: 2, reason: "silent", drillId: 3 }, "Node node-2 is down: silent (drill 3)"],
  [{ kind: "nodeDraining", nodeId: 1, reason: "old", copiesTotal: 12 }, "Node node-1 gives away its 12 copies: old"],
  [
    { kind: "nodeReported", nodeId: 1, address: "host:1", ip: "", mac: "", capacityBytes: 2 ** 31 },
    "Node node-1 is at host:1, with room for 2.1 GB",
  ],
  [{ kind: "nodeDrained", nodeId: 1 }, "Node node-1 is drained: nothing on it is needed any more"],
  [{ kind: "nodeActivated", nodeId: 1, reason: "cancelled" }, "Node node-1 is active again (drain cancelled)"],
  [
    { kind: "maintenanceStarted", nodeId: 1, endsAtMs: 1_800_000_000_000, reason: "" },
    "Node node-1 is in maintenance until 2027-01-15T08:00:00.000Z",
  ],
  [{ kind: "nodeFailed", nodeId: 3, reason: "smoke" }, "Node node-3 declared failed: its copies do not count: smoke"],
  [{ kind: "nodeRemoved", nodeId: 3, copiesLeft: 0 }, "Node node-3 removed for ever"],
  [{ kind: "nodeRemoved", nodeId: 3, copiesLeft: 5 }, "Node node-3 removed for ever, with 5 copies on it"],
  [{ kind: "nodeLabelled", nodeId: 3, zone: "a", rack: "b" }, 'Node node-3 is in zone "a", rack "b"'],
  [{ kind: "replicationChanged", replication: 1 }, "1 copy of every chunk wanted from now on"],
  [
    { kind: "housekeepingChanged", isBalancePaused: true, isRepairPaused: false, isMassLossAccepted: true },
    "Balancing is paused, repair is on; repair goes on in spite of a mass loss",
  ],
  [
    {
      kind: "drillStarted",
      drillId: 4,
      nodeId: 2,
      drillKind: "slow",
      endsAtMs: 1_800_000_000_000,
      delayMs: 7,
      chunkId: 0,
    },
    "Drill: disk slower by 7 ms on node-2 until 2027-01-15T08:00:00.000Z (drill 4)",
  ],
  [{ kind: "joinTokenRevoked", joinTokenId: 9, reason: "expired" }, "Join token 9 expired"],
];

test.each(facts)("%j", (fact, words) => {
  expect(summarise(fact, new ChunkWorld().tables)).toBe(words);
});

test("what a fact is about is named as it is after the fact, and no hash of a token is told", () => {
  const world = new ChunkWorld();
  const lines = fleetSampleEvents.map((event) => {
    if (event.kind !== "nodeJoined" && event.kind !== "nodeRemoved") world.fold(event);
    return summarise(event, world.tables);
  });
  expect(lines).toContain('Join token 1 for "für Regal 4" revoked');
  expect(lines).toContain("Drill on node-1 stopped (drill 1)");
  expect(lines.join("\n")).not.toMatch(/abab/);
});
