import { create } from "@bufbuild/protobuf";
import { must } from "@holdfast/base";
import { createMetrics } from "@holdfast/observability";
import { ChunkControlService, GetNodeStatusRequestSchema } from "@holdfast/proto/chunk/v1/chunk";
import { DrillKind } from "@holdfast/proto/fleet/v1/fleet";
import { RunDrillsSchema } from "@holdfast/proto/master/v1/master";
import { describe, expect, it } from "vitest";
import { chunkserverDefaults } from "../config.ts";
import { sampleBytes } from "../store/chunk-store.contract.ts";
import { FleetInWorld, sendChunk } from "../testing/fleet-in-world.ts";
import type { NodeInWorld } from "../testing/fleet-in-world.ts";

const metrics = createMetrics();
/** So that it is the drill's end that finds the damage. */
const restingScrub = { ...chunkserverDefaults.scrub, idleMs: 3_600_000 };

async function withNode(body: (fleet: FleetInWorld, node: NodeInWorld) => Promise<void>): Promise<void> {
  const fleet = new FleetInWorld(3);
  const run = async (): Promise<void> => {
    await fleet.startLeader();
    const node = await fleet.startNode("node-1", { scrub: restingScrub }, { metrics });
    await fleet.until(() => node.chunkserver.readiness().isReady);
    await body(fleet, node);
  };
  await fleet.world.settle(run(), 600_000);
}

interface Ordered {
  readonly kind: number;
  readonly drillId?: number;
  readonly remainingMs?: number;
  readonly delayMs?: number;
  readonly chunk?: { chunkId: bigint; generation: number; lengthBytes: number };
  readonly term?: number;
  readonly nodeId?: number;
}

function order(fleet: FleetInWorld, node: NodeInWorld, drills: readonly Ordered[]): void {
  const { nodeId } = node.chunkserver.node();
  const value = create(RunDrillsSchema, {
    nodeId: drills[0]?.nodeId ?? nodeId,
    term: BigInt(drills[0]?.term ?? 1),
    drills: drills.map(({ kind, drillId = 1, remainingMs = 20_000, delayMs = 0, chunk }) => ({
      ...{ kind: kind as DrillKind, drillId: BigInt(drillId), remainingMs: BigInt(remainingMs), delayMs },
      ...(chunk === undefined ? {} : { chunk: { $typeName: "holdfast.master.v1.HeldChunk" as const, ...chunk } }),
      $typeName: "holdfast.master.v1.DrillOrder" as const,
    })),
  });
  fleet.leader.runningDrillIds = value.drills.map(({ drillId }) => drillId);
  fleet.leader.order(nodeId, { case: "drills", value });
}

/** Kind of the error that a small question to the node ends with, or "answered"; and after how long. */
async function ask(
  fleet: FleetInWorld,
  node: NodeInWorld,
  timeoutMs = 2000,
): Promise<{ outcome: string; tookMs: number }> {
  const beganMs = fleet.world.nowMs();
  const client = fleet.client.client(ChunkControlService, node.address);
  const outcome = await client.getNodeStatus(create(GetNodeStatusRequestSchema), { timeoutMs }).then(
    () => "answered",
    (error: { kind: string }) => error.kind,
  );
  return { outcome, tookMs: fleet.world.nowMs() - beganMs };
}

async function untilOutcome(fleet: FleetInWorld, node: NodeInWorld, wanted: string): Promise<void> {
  const untilMs = fleet.world.nowMs() + 60_000;
  while ((await ask(fleet, node)).outcome !== wanted) {
    if (fleet.world.nowMs() > untilMs) throw new Error(`never ${wanted}`);
    await fleet.sleep(50);
  }
}

function active(kind: string): string | undefined {
  return new RegExp(`holdfast_drill_active\\{kind="${kind}"\\} (\\d+)`).exec(metrics.render())?.[1];
}

describe("a stop drill", () => {
  it("makes the node fail its calls at once and report nothing, until the leader's poll says that it is over", () =>
    withNode(async (fleet, node) => {
      order(fleet, node, [{ kind: DrillKind.STOP }]);
      await untilOutcome(fleet, node, "unavailable");
      expect((await ask(fleet, node)).tookMs).toBeLessThan(100);
      expect(active("stop")).toBe("1");
      const reportCount = fleet.leader.reports.length;
      await fleet.sleep(5000);
      expect(fleet.leader.reports.length).toBe(reportCount);
      fleet.leader.runningDrillIds = [];
      await fleet.sleep(3000);
      expect((await ask(fleet, node)).outcome).toBe("answered");
      expect(active("stop")).toBe("0");
      await fleet.until(() => fleet.leader.reports.length > reportCount, 5000);
    }));

  it("ends by the node's own clock when nobody says anything", () =>
    withNode(async (fleet, node) => {
      order(fleet, node, [{ kind: DrillKind.STOP, remainingMs: 7000 }]);
      await untilOutcome(fleet, node, "unavailable");
      fleet.world.machine("master-1").processes()[0]?.crash();
      await fleet.sleep(5000);
      expect((await ask(fleet, node)).outcome).toBe("unavailable");
      await fleet.sleep(3000);
      expect((await ask(fleet, node)).outcome).toBe("answered");
    }));

  it("does not outlive the process", () =>
    withNode(async (fleet, node) => {
      order(fleet, node, [{ kind: DrillKind.STOP }]);
      await untilOutcome(fleet, node, "unavailable");
      node.process.crash();
      const again = await fleet.startNode("node-1");
      expect((await ask(fleet, again)).outcome).toBe("answered");
    }));

  it("does not keep the process from stopping", () =>
    withNode(async (fleet, node) => {
      order(fleet, node, [{ kind: DrillKind.PARTITION }]);
      await untilOutcome(fleet, node, "deadline");
      const beganMs = fleet.world.nowMs();
      await node.chunkserver.stop();
      expect(fleet.world.nowMs() - beganMs).toBeLessThan(5000);
    }));
});

describe("a partition drill", () => {
  it("has callers wait instead of fail, and lets them through when it ends", () =>
    withNode(async (fleet, node) => {
      order(fleet, node, [{ kind: DrillKind.PARTITION }]);
      await untilOutcome(fleet, node, "deadline");
      expect((await ask(fleet, node, 1500)).tookMs).toBeGreaterThanOrEqual(1500);
      const patient = ask(fleet, node, 30_000);
      const reportCount = fleet.leader.reports.length;
      await fleet.sleep(4000);
      expect(fleet.leader.reports.length).toBe(reportCount);
      fleet.leader.runningDrillIds = [];
      expect((await patient).outcome).toBe("answered");
      await fleet.until(() => fleet.leader.reports.length > reportCount, 10_000);
      await fleet.until(() => node.chunkserver.readiness().isReady, 10_000);
    }));

  it("holds back a write on its way, which then ends as it should", () =>
    withNode(async (fleet, node) => {
      const bytes = sampleBytes(2_000_000);
      let isCut = false;
      const beforeFrame = async (offset: number): Promise<void> => {
        if (offset < 1_000_000 || isCut) return;
        isCut = true;
        order(fleet, node, [{ kind: DrillKind.PARTITION, remainingMs: 4000 }]);
        await fleet.until(() => active("partition") === "1");
      };
      const beganMs = fleet.world.nowMs();
      expect(await sendChunk(fleet.client, { chunkId: 1, bytes, nodes: [node], beforeFrame })).toEqual(["1 durable"]);
      expect(fleet.world.nowMs() - beganMs).toBeGreaterThan(3500);
    }));
});

describe("a slow drill", () => {
  it("delays every disk operation, and the reports show it", () =>
    withNode(async (fleet, node) => {
      await sendChunk(fleet.client, { chunkId: 1, bytes: sampleBytes(1000), nodes: [node] });
      order(fleet, node, [{ kind: DrillKind.SLOW, delayMs: 300 }]);
      await fleet.until(() => active("slow") === "1");
      const beganMs = fleet.world.nowMs();
      await sendChunk(fleet.client, { chunkId: 2, bytes: sampleBytes(1000), nodes: [node] });
      expect(fleet.world.nowMs() - beganMs).toBeGreaterThan(900);
      await fleet.until(() => (fleet.leader.reports.at(-1)?.latency?.writeP95TenthMs ?? 0) > 9000, 5000);
      expect(fleet.leader.reports.at(-1)?.drillIds).toEqual([1n]);
      order(fleet, node, []);
      await fleet.until(() => active("slow") === "0");
    }));
});

describe("a corrupt drill", () => {
  const chunk = { chunkId: 1n, generation: 1, lengthBytes: 100_000 };

  it("damages the copy once, and no damage outlives it unseen", () =>
    withNode(async (fleet, node) => {
      await sendChunk(fleet.client, { chunkId: 1, bytes: sampleBytes(100_000), nodes: [node] });
      const { disk } = fleet.world.machine("node-1").startProcess();
      const path = "/data/chunks/00/00/0000000000000001.1";
      const before = await disk.readFile(path);
      order(fleet, node, [{ kind: DrillKind.CORRUPT, chunk, remainingMs: 5000 }]);
      const differing = async (): Promise<number> => {
        const now = await disk.readFile(path);
        return now.filter((byte, index) => byte !== before[index]).length;
      };
      await fleet.sleep(500);
      expect(await differing()).toBe(1);
      order(fleet, node, [{ kind: DrillKind.CORRUPT, chunk, remainingMs: 4500 }]);
      await fleet.sleep(500);
      expect(await differing()).toBe(1);
      expect(fleet.leader.reports.flatMap(({ corrupt }) => corrupt)).toEqual([]);
      await fleet.until(() => fleet.leader.reports.some(({ corrupt }) => corrupt[0]?.chunkId === 1n), 10_000);
    }));

  it("of a copy that is not here does nothing", () =>
    withNode(async (fleet, node) => {
      order(fleet, node, [{ kind: DrillKind.CORRUPT, chunk, remainingMs: 2000 }]);
      await fleet.sleep(4000);
      expect(node.chunkserver.status()).toMatchObject({ chunkCount: 0, diskState: "ok" });
    }));
});

describe("an order to drill", () => {
  it.each([
    ["another node", { nodeId: 77 }],
    ["a term that is over", { term: 0 }],
  ])("for %s is refused", (_what, change) =>
    withNode(async (fleet, node) => {
      order(fleet, node, [{ kind: DrillKind.STOP, ...change }]);
      await fleet.sleep(3000);
      expect((await ask(fleet, node)).outcome).toBe("answered");
    }),
  );

  it("of an unknown kind changes nothing", () =>
    withNode(async (fleet, node) => {
      order(fleet, node, [{ kind: 99 }]);
      await fleet.sleep(3000);
      expect((await ask(fleet, node)).outcome).toBe("answered");
      expect(must(fleet.leader.reports.at(-1), "it reports").drillIds).toEqual([]);
    }));
});
