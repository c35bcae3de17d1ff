import { create } from "@bufbuild/protobuf";
import { encodeJoinToken, HoldfastError } from "@holdfast/base";
import { FleetOutcomeSchema } from "@holdfast/proto/fleet/v1/fleet";
import {
  ListNodesResponseSchema,
  LocalNodesService,
  StartNodeResponseSchema,
  StopNodeResponseSchema,
} from "@holdfast/proto/supervisor/v1/supervisor";
import { serve, type ServiceHandlers } from "@holdfast/rpc";
import { createSimNetwork } from "@holdfast/rpc/sim";
import { createSimWorld } from "@holdfast/runtime/sim";
import { expect, test } from "vitest";
import type { Caller } from "../drive/ports.ts";
import type { Fleet } from "./fleet.ts";
import { createLocalNodes, type LocalNodes } from "./local-nodes.ts";
import { createReplacementStart } from "./start-replacement.ts";

const admin: Caller = {
  userId: 1n,
  email: "ada@example.org",
  isAdmin: true,
  rootEntryId: 1n,
  tokenSha256: new Uint8Array(32),
  expiresAtMs: 0,
  idleMs: 0,
};
const newNode = { name: "", joinSecret: "" };
const scope = { requestId: "0".repeat(32), signal: new AbortController().signal };

/** A supervisor that checks its secret, as the real one does. */
function supervisorHandlers(states: Map<string, string>): ServiceHandlers<typeof LocalNodesService> {
  const check = (secret: string): void => {
    if (secret !== "hush") throw new HoldfastError("denied", "The secret is not the one of this supervisor.");
  };
  return {
    listNodes: async ({ secret }) => {
      check(secret);
      const nodes = [...states].map(([name, state]) => ({ name, state, pid: 7, nodeId: 9 }));
      return create(ListNodesResponseSchema, { nodes });
    },
    startNode: async ({ secret, name }) => {
      check(secret);
      const started = name === "" ? `node-${states.size + 1}` : name;
      states.set(started, "running");
      return create(StartNodeResponseSchema, { name: started });
    },
    stopNode: async ({ secret, name }) => {
      check(secret);
      if (!states.has(name)) throw new HoldfastError("notFound", `There is no ${name} here.`);
      states.set(name, "stopped");
      return create(StopNodeResponseSchema);
    },
  };
}

test("nodes are started and stopped through the supervisor, with the secret of the moment", async () => {
  const world = createSimWorld(3);
  const hub = createSimNetwork(world);
  const states = new Map([["node-1", "running"]]);
  let secret = "of an earlier start";
  const run = async (): Promise<void> => {
    await hub
      .forProcess(world.machine("host").startProcess())
      .listen("host:7100", [serve(LocalNodesService, supervisorHandlers(states))]);
    const network = hub.forProcess(world.machine("gateway").startProcess());
    const nodes = createLocalNodes({ network, supervisor: { address: "host:7100", readSecret: async () => secret } });
    await expect(nodes.list(admin, scope)).rejects.toMatchObject({ kind: "denied" });
    secret = "hush";
    expect(await nodes.start(admin, newNode, scope)).toBe("node-2");
    await nodes.stop(admin, "node-1", scope);
    await expect(nodes.stop(admin, "node-9", scope)).rejects.toMatchObject({ kind: "notFound" });
    expect(await nodes.list(admin, scope)).toEqual([
      { name: "node-1", state: "stopped", nodeId: 9 },
      { name: "node-2", state: "running", nodeId: 9 },
    ]);
    await expect(nodes.start({ ...admin, isAdmin: false }, newNode, scope)).rejects.toMatchObject({ kind: "denied" });
    expect(states.size).toBe(2);
  };
  await world.settle(run(), 600_000);
});

/** Tokens that are out, and a machine that takes a node more or refuses it. */
function replacementWorld(refusal?: HoldfastError) {
  const secret = "5".repeat(64);
  const token = { masterAddresses: ["m1:7000"], clusterId: "c1".repeat(16), secret, authorityFingerprint: undefined };
  const [outIds, secrets, requestIds]: [Set<number>, string[], Set<string>] = [new Set(), [], new Set()];
  const fleet: Pick<Fleet, "createJoinToken" | "change"> = {
    createJoinToken: async (_caller, { replacesNodeId }, { requestId }) => {
      if (replacesNodeId === 3) throw new HoldfastError("precondition", "node-3 was replaced already.");
      requestIds.add(requestId);
      outIds.add(40);
      return { joinTokenId: 40, joinToken: encodeJoinToken(token), command: "", expiresAtMs: 0 };
    },
    change: async (_caller, { command }, { requestId }) => {
      requestIds.add(requestId);
      if (command.case === "revokeJoinToken") outIds.delete(command.value.joinTokenId);
      return { index: 1n, outcome: create(FleetOutcomeSchema) };
    },
  };
  const localNodes: Pick<LocalNodes, "list" | "start"> = {
    list: async () => [],
    start: async (_caller, { joinSecret }) => {
      if (refusal !== undefined) throw refusal;
      secrets.push(joinSecret);
      return "node-5";
    },
  };
  const random = createSimWorld(3).machine("gateway").startProcess().random;
  return { outIds, secrets, requestIds, start: createReplacementStart({ fleet, localNodes, random }) };
}

test("a replacement is started here with the secret of a token for the node's place", async () => {
  const { start, outIds, secrets } = replacementWorld();
  expect(await start({ caller: admin, replacesNodeId: 2 }, scope)).toEqual({ name: "node-5", joinTokenId: 40 });
  expect([[...outIds], secrets]).toEqual([[40], ["5".repeat(64)]]);
  await expect(start({ caller: admin, replacesNodeId: 3 }, scope)).rejects.toMatchObject({ kind: "precondition" });
  expect(secrets).toHaveLength(1);
});

test.each([
  { what: "a refusal ends the token by a request of its own", kind: "tooBusy", out: [], requests: 2 },
  { what: "a lost answer leaves it: the node may run", kind: "unavailable", out: [40], requests: 1 },
] as const)("$what", async ({ kind, out, requests }) => {
  const { start, outIds, requestIds } = replacementWorld(new HoldfastError(kind, "64 nodes run already."));
  await expect(start({ caller: admin, replacesNodeId: 2 }, scope)).rejects.toMatchObject({ kind });
  expect([[...outIds], requestIds.size]).toEqual([out, requests]);
});

test("where no node can be started no token is made", async () => {
  const fleet: Pick<Fleet, "createJoinToken" | "change"> = {
    createJoinToken: async () => expect.unreachable(),
    change: async () => expect.unreachable(),
  };
  const random = createSimWorld(3).machine("gateway").startProcess().random;
  const start = createReplacementStart({ fleet, localNodes: createLocalNodes(undefined), random });
  await expect(start({ caller: admin, replacesNodeId: 2 }, scope)).rejects.toMatchObject({ kind: "precondition" });
});
