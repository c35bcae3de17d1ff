import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
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
import { createLocalNodes } from "./local-nodes.ts";

const admin: Caller = {
  userId: 1n,
  email: "ada@example.org",
  isAdmin: true,
  rootEntryId: 1n,
  tokenSha256: new Uint8Array(32),
  expiresAtMs: 0,
  idleMs: 0,
};
const scope = { requestId: "0".repeat(32), signal: new AbortController().signal };

/** A supervisor that checks its secret, as the real one does. */
function supervisorHandlers(states: Map<string, string>): ServiceHandlers<typeof LocalNodesService> {
  const check = (secret: string): void => {
    if (secret !== "hush") throw new HoldfastError("denied", "The secret is not the one of this supervisor.");
  };
  return {
    listNodes: async ({ secret }) => {
      check(secret);
      const nodes = [...states].map(([name, state]) => ({ name, state, pid: 7 }));
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
    expect(await nodes.start(admin, "", scope)).toBe("node-2");
    await nodes.stop(admin, "node-1", scope);
    await expect(nodes.stop(admin, "node-9", scope)).rejects.toMatchObject({ kind: "notFound" });
    expect(await nodes.list(admin, scope)).toEqual([
      { name: "node-1", state: "stopped" },
      { name: "node-2", state: "running" },
    ]);
    await expect(nodes.start({ ...admin, isAdmin: false }, "", scope)).rejects.toMatchObject({ kind: "denied" });
    expect(states.size).toBe(2);
  };
  await world.settle(run(), 600_000);
});
