import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import { ChunkControlService, StatChunkRequestSchema, StatChunkResponseSchema } from "@holdfast/proto/chunk/v1/chunk";
import { createSimWorld } from "@holdfast/runtime/sim";
import { expect, test } from "vitest";
import { createLeaderCaller } from "./leader-client.ts";
import { serve } from "./service.ts";
import { createSimNetwork } from "./sim/sim-network.ts";

const addresses = ["m1:7000", "m2:7000", "m3:7000"];

/** Three masters of which `leader.name` leads and the others know it (or not); what each was asked is kept. */
function cluster(seed: string) {
  const world = createSimWorld(seed);
  const hub = createSimNetwork(world);
  const state = { leader: "m1", isHinting: true, refusal: undefined as HoldfastError | undefined };
  const asked: { readonly master: string; readonly requestId: string }[] = [];
  const startMaster = async (name: string): Promise<void> => {
    const network = hub.forProcess(world.machine(name).startProcess());
    await network.listen(`${name}:7000`, [
      serve(ChunkControlService, {
        getNodeStatus: () => Promise.reject(new HoldfastError("internal", "not asked for here")),
        statChunk: async (_request, context) => {
          asked.push({ master: name, requestId: context.requestId });
          const hint = state.isHinting ? { leaderAddress: `${state.leader}:7000` } : {};
          if (state.leader !== name) throw new HoldfastError("notLeader", `${name} does not lead`, hint);
          if (state.refusal !== undefined) throw state.refusal;
          return create(StatChunkResponseSchema, { isPresent: true });
        },
      }),
    ]);
  };
  const process = world.machine("gateway").startProcess();
  const caller = createLeaderCaller({
    addresses,
    network: hub.forProcess(process),
    timers: process.timers,
    random: process.random,
    clock: process.clock,
  });
  const ask = (limits: { timeoutMs?: number; signal?: AbortSignal; requestId?: string } = {}) =>
    world.settle(
      caller.call(
        ChunkControlService,
        (client, options) => client.statChunk(create(StatChunkRequestSchema), options),
        limits,
      ),
      100_000,
    );
  return { world, hub, state, asked, startMaster, caller, ask };
}

test("goes to the leader that is named, with the same request id, and stays there", async () => {
  const { state, asked, startMaster, ask } = cluster("hint");
  for (const name of ["m1", "m2", "m3"]) await startMaster(name);
  state.leader = "m3";
  expect((await ask({ requestId: "r" })).isPresent).toBe(true);
  await ask({ requestId: "s" });
  expect(asked).toEqual([
    { master: "m1", requestId: "r" },
    { master: "m3", requestId: "r" },
    { master: "m3", requestId: "s" },
  ]);
});

test("finds the leader without hints, past a dead master", async () => {
  const { state, asked, startMaster, ask } = cluster("no hint");
  for (const name of ["m2", "m3"]) await startMaster(name);
  state.leader = "m3";
  state.isHinting = false;
  expect((await ask()).isPresent).toBe(true);
  expect(asked.map(({ master }) => master)).toEqual(["m2", "m3"]);
});

test("a hint to a dead leader does not trap it: the next leader is found", async () => {
  const { world, state, startMaster, ask, caller } = cluster("dead");
  for (const name of ["m1", "m2", "m3"]) await startMaster(name);
  state.leader = "m2";
  await ask();
  expect(caller.leaderAddress()).toBe("m2:7000");
  world.machine("m2").powerCut();
  const waiting = ask();
  world.scheduler.schedule(600, "election", () => {
    state.leader = "m3";
  });
  expect((await waiting).isPresent).toBe(true);
  expect(world.nowMs()).toBeLessThan(3000);
});

test("what the leader refuses with is final", async () => {
  const { state, asked, startMaster, ask } = cluster("refusal");
  for (const name of ["m1", "m2", "m3"]) await startMaster(name);
  state.refusal = new HoldfastError("nameTaken", "there is one already");
  await expect(ask()).rejects.toMatchObject({ kind: "nameTaken" });
  expect(asked.length).toBe(1);
});

test("gives up at the deadline with the last error, and at once when cancelled", async () => {
  const { world, ask } = cluster("nobody");
  await expect(ask({ timeoutMs: 2000 })).rejects.toMatchObject({ kind: "unavailable" });
  expect(world.nowMs()).toBeGreaterThan(1000);
  expect(world.nowMs()).toBeLessThanOrEqual(2000);
  const controller = new AbortController();
  const startMs = world.nowMs();
  world.scheduler.schedule(300, "give up", () => controller.abort());
  await expect(ask({ signal: controller.signal })).rejects.toMatchObject({ kind: "cancelled" });
  expect(world.nowMs() - startMs).toBeLessThan(400);
});

test("a leader's reason is not hidden by followers asked after it", async () => {
  for (let timeoutMs = 1000; timeoutMs < 1400; timeoutMs += 50) {
    const { state, startMaster, ask } = cluster(`reason ${timeoutMs}`);
    for (const name of ["m1", "m2", "m3"]) await startMaster(name);
    state.refusal = new HoldfastError("unavailable", "1 of 2 nodes");
    await expect(ask({ timeoutMs })).rejects.toMatchObject({ kind: "unavailable", message: "1 of 2 nodes" });
  }
});

test("a leader that is cut off does not hold a request longer than one try", async () => {
  const { world, hub, state, startMaster, ask } = cluster("cut off");
  for (const name of ["m1", "m2", "m3"]) await startMaster(name);
  await ask();
  hub.partition(["m1"], ["m2", "m3", "gateway"]);
  state.leader = "m2";
  const startMs = world.nowMs();
  expect((await ask()).isPresent).toBe(true);
  expect(world.nowMs() - startMs).toBeLessThan(6000);
});
