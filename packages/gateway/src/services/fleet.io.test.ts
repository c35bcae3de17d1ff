import { ConnectError, createClient, type Client } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { AdminService } from "@holdfast/proto/drive/v1/drive";
import { ErrorDetailSchema } from "@holdfast/proto/errors/v1/errors";
import { FleetQueryService } from "@holdfast/proto/fleet/v1/fleet";
import { decodeJoinToken, errorKinds } from "@holdfast/base";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tokenSha256 } from "../auth/token.ts";
import { startHttpGateway, type HttpGateway } from "../testing/http-gateway.ts";

const guest = { email: "guest@example.org", password: "correct horse" };
let edge: HttpGateway;
let admin: Client<typeof AdminService>;
let fleet: Client<typeof FleetQueryService>;

beforeAll(async () => {
  edge = await startHttpGateway({ gateway: { masterAddresses: ["10.0.0.1:7000", "10.0.0.2:7000"] } });
  admin = createClient(AdminService, transportOf(edge.bearer.Authorization));
  fleet = createClient(FleetQueryService, transportOf(edge.bearer.Authorization));
});
afterAll(async () => edge.stop());

function transportOf(authorization: string) {
  return createConnectTransport({
    baseUrl: edge.origin,
    httpVersion: "1.1",
    interceptors: [
      (next) => (request) => {
        request.header.set("Authorization", authorization);
        return next(request);
      },
    ],
  });
}

async function refusalOf(call: Promise<unknown>): Promise<{ kind: string; message: string }> {
  const error = await call.then(
    () => new ConnectError("nothing was refused"),
    (thrown: unknown) => ConnectError.from(thrown),
  );
  const detail = error.findDetails(ErrorDetailSchema)[0];
  return { kind: errorKinds[(detail?.kind ?? 0) - 1] ?? "", message: detail?.message ?? error.message };
}

const drainOf = (nodeId: number) =>
  ({ command: { case: "drainNode", value: { nodeId, reason: "old disks" } } }) as const;

describe("steering the fleet", () => {
  test("an order reaches the masters once, however often it is repeated", async () => {
    const request = { requestId: "ab".repeat(16), command: drainOf(2) };
    const first = await admin.changeFleet(request);
    const ordersBefore = edge.masters.fleetState.orders.length;
    expect((await admin.changeFleet(request)).index).toBe(first.index);
    expect(edge.masters.fleetState.orders.length).toBe(ordersBefore);
    expect(edge.masters.fleetState.orders.at(-1)?.command).toMatchObject({
      case: "drainNode",
      value: { nodeId: 2, reason: "old disks" },
    });
  });

  test("a refusal of the masters arrives with its kind and words; an empty order is refused here", async () => {
    expect(await refusalOf(admin.changeFleet({ requestId: "", command: drainOf(404) }))).toEqual({
      kind: "notFound",
      message: "There is no node 404. Nothing was changed.",
    });
    expect((await refusalOf(admin.changeFleet({}))).kind).toBe("invalidArgument");
    expect((await refusalOf(admin.changeFleet({ requestId: "no", command: drainOf(1) }))).kind).toBe("invalidArgument");
  });

  test("a join token is shown once; the masters see its hash alone", async () => {
    const issued = await admin.createJoinToken({ label: "attic" });
    const order = edge.masters.fleetState.orders.at(-1)?.command;
    if (order?.case !== "issueJoinToken") throw new Error("a join token was issued");
    expect(order.value).toMatchObject({ lifetimeMs: 3_600_000n, label: "attic" });
    expect(issued.joinTokenId).toBeGreaterThan(0);
    expect(issued.command).toBe(`npx holdfast node start --join ${issued.joinToken} --data ./holdfast-node`);
    const decoded = decodeJoinToken(issued.joinToken);
    if (!decoded.ok) throw new Error(decoded.error);
    expect(decoded.value).toMatchObject({
      masterAddresses: ["10.0.0.1:7000", "10.0.0.2:7000"],
      clusterId: "c1".repeat(16),
    });
    expect(order.value.tokenSha256).toEqual(tokenSha256(decoded.value.secret));
    const again = await admin.createJoinToken({ label: "attic" });
    expect(again.joinToken).not.toBe(issued.joinToken);
    expect(order.value.replacesNodeId).toBe(0);
    await admin.createJoinToken({ replacesNodeId: 2 });
    expect(edge.masters.fleetState.orders.at(-1)?.command.value).toMatchObject({ replacesNodeId: 2 });
  });

  test("without a supervisor there are no local nodes, and the refusal says what to do instead", async () => {
    expect(await admin.listLocalNodes({})).toMatchObject({ isAvailable: false, nodes: [] });
    const refusal = await refusalOf(admin.startLocalNode({}));
    expect(refusal.kind).toBe("precondition");
    expect(refusal.message).toContain("join token");
    const ordersBefore = edge.masters.fleetState.orders.length;
    expect(await refusalOf(admin.startLocalNode({ replacesNodeId: 2 }))).toEqual(refusal);
    expect((await refusalOf(admin.startLocalNode({ name: "node-1", replacesNodeId: 2 }))).kind).toBe("invalidArgument");
    expect(edge.masters.fleetState.orders.length).toBe(ordersBefore);
    expect((await refusalOf(admin.stopLocalNode({ name: "node-1" }))).kind).toBe("precondition");
  });
});

describe("asking about the fleet", () => {
  test("the leader's answers and refusals are passed on", async () => {
    expect((await fleet.getFleet({})).preset).toBe("demo");
    expect((await fleet.predict({ question: { case: "lostZone", value: "cellar" } })).summary).toContain("Nothing");
    expect((await fleet.getWeakest({})).index).toBe(7n);
    expect((await fleet.getHistory({})).intervalMs).toBe(1000);
    expect((await fleet.getChunkLedger({ chunkId: 1n })).placedNodeIds).toEqual([1, 2, 3]);
    expect((await refusalOf(fleet.getChunkLedger({ chunkId: 404n }))).kind).toBe("notFound");
  });

  test("everybody else is denied everything, and nobody without a session gets in", async () => {
    await admin.createUser(guest);
    const scope = { requestId: "0".repeat(32), signal: new AbortController().signal };
    const { token } = await edge.gateway.sessions.signIn(
      { ...guest, channel: "cli", keepSignedIn: false, ip: "test", client: "test" },
      scope,
    );
    for (const [authorization, kind] of [
      [`Bearer ${token}`, "denied"],
      ["Bearer x", "unauthenticated"],
    ] as const) {
      const asAdmin = createClient(AdminService, transportOf(authorization));
      const asFleet = createClient(FleetQueryService, transportOf(authorization));
      const ordersBefore = edge.masters.fleetState.orders.length;
      const calls = [
        () => asAdmin.changeFleet({ requestId: "cd".repeat(16), command: drainOf(1) }),
        () => asAdmin.createJoinToken({}),
        () => asAdmin.listLocalNodes({}),
        () => asAdmin.startLocalNode({}),
        () => asAdmin.startLocalNode({ replacesNodeId: 2 }),
        () => asAdmin.stopLocalNode({ name: "node-1" }),
        () => asFleet.getFleet({}),
        () => asFleet.predict({}),
        () => asFleet.getWeakest({}),
        () => asFleet.getHistory({}),
        () => asFleet.getChunkLedger({ chunkId: 1n }),
      ];
      for (const call of calls) expect((await refusalOf(call())).kind).toBe(kind);
      expect(edge.masters.fleetState.orders.length).toBe(ordersBefore);
    }
  });
});
