import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { silentLogger } from "@holdfast/observability";
import { HeartbeatRequestSchema, type HeartbeatRequest } from "@holdfast/proto/master/v1/master";
import type { PeerIdentity } from "@holdfast/rpc";
import { createSimWorld } from "@holdfast/runtime/sim";
import { describe, expect, test } from "vitest";
import { NodeDigests } from "../../application/node-digests.ts";
import { OneAtATime } from "../../application/one-at-a-time.ts";
import { presets } from "../../controllers/presets.ts";
import { listAllNodes } from "../../domain/fleet/tables.ts";
import { TestMaster } from "../../testing/test-master.ts";
import { FleetObserver } from "./fleet-observer.ts";
import { HeartbeatSession } from "./heartbeat-session.ts";
import { createJoinGate } from "./join-gate.ts";

const first = "1".repeat(32);
const second = "2".repeat(32);

function identityOf(id: string): PeerIdentity {
  return { clusterId: "c".repeat(32), role: "node", id };
}

function reportOf(nodeUuid: string, change: MessageInitShape<typeof HeartbeatRequestSchema>): HeartbeatRequest {
  return create(HeartbeatRequestSchema, {
    ...{ nodeUuid, name: `node-${nodeUuid.slice(0, 1)}`, address: `${nodeUuid.slice(0, 1)}.example:8000` },
    ...{ incarnation: "a".repeat(32), sequence: 1n, capacityBytes: 1n << 40n, freeBytes: 1n << 40n },
    ...change,
  });
}

/** Sessions of one leader; each reads its reports to the end and gives the kinds of orders that it sent. */
async function leaderOf(): Promise<{
  master: TestMaster;
  read: (caller: PeerIdentity | undefined, reports: readonly HeartbeatRequest[]) => Promise<readonly string[]>;
}> {
  const master = new TestMaster();
  await master.initialise();
  const { timers } = createSimWorld(1).machine("m").startProcess();
  const { clock, store, handler } = master;
  const observer = new FleetObserver(clock, {
    liveness: presets.demo.liveness,
    caution: presets.demo.caution,
  });
  const options = {
    ...{ store, clock, timers, observer, submitter: handler, logger: silentLogger },
    ...{ digests: new NodeDigests(store), listings: new OneAtATime(), joinGate: createJoinGate(undefined) },
    leadership: { isReady: () => true, term: () => 1, leaderAddress: () => "" },
  };
  const read = async (caller: PeerIdentity | undefined, reports: readonly HeartbeatRequest[]) => {
    const session = new HeartbeatSession(options, { caller, onJoined: () => undefined });
    await session.read(
      (async function* () {
        yield* reports;
      })(),
    );
    session.end("closed");
    const orders: string[] = [];
    for await (const { order } of session.orders)
      orders.push(order.case === "refused" ? `refused: ${order.value.reason}` : (order.case ?? "none"));
    return orders.filter((order) => order !== "drills" && order !== "refusedNodes");
  };
  return { master, read };
}

describe("who a heartbeat stream speaks for", () => {
  test("a node's certificate opens no stream for another node, known or not, and nothing of it is committed", async () => {
    const { master, read } = await leaderOf();
    expect(await read(identityOf(first), [reportOf(first, {})])).toEqual(["welcome"]);
    const before = listAllNodes(master.tables);
    const moved = { address: "evil.example:8000", sequence: 2n };
    expect(await read(identityOf(second), [reportOf(first, moved)])).toEqual([
      expect.stringMatching(/^refused: The certificate shown is that of node 2{32}, .* Nothing was changed\.$/),
    ]);
    expect(await read(identityOf(first), [reportOf(second, {})])).toEqual([expect.stringMatching(/^refused: /)]);
    expect(listAllNodes(master.tables)).toEqual(before);
  });

  test("a stream that is open speaks for its node to the end, with a certificate and without", async () => {
    const { master, read } = await leaderOf();
    for (const caller of [identityOf(first), undefined]) {
      const later = { address: "evil.example:8000", sequence: 9n };
      const reports = [reportOf(first, { sequence: 3n }), reportOf(second, later)];
      expect(await read(caller, reports)).toEqual([
        "welcome",
        expect.stringMatching(/^refused: This stream is that of node 1{32}, /),
      ]);
      expect(listAllNodes(master.tables).map(({ nodeUuid, address }) => [nodeUuid, address])).toEqual([
        [first, "1.example:8000"],
      ]);
    }
  });
});
