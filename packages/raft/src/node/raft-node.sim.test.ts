import { describe, expect, it } from "vitest";
import type { LogIndex, PeerId } from "../core/types.ts";
import { nameOf, SimCluster } from "../../test/sim-cluster.ts";

const texts = (count: number, start = 0): string[] =>
  Array.from({ length: count }, (_, index) => `entry ${start + index}`);

describe("raft node in a simulated world", () => {
  it("elects, replicates and applies in order on all members", async () => {
    const cluster = new SimCluster({ seed: 1 });
    await cluster.startAll();
    const leader = await cluster.elect(2000);
    const outcomes = await cluster.world.settle(
      Promise.all(texts(100).map((text) => leader.node.propose(new TextEncoder().encode(text)))),
      5000,
    );
    expect(outcomes.every(({ kind }) => kind === "applied")).toBe(true);
    expect(await cluster.settleApplied()).toBe(true);
    for (const id of cluster.ids) expect(cluster.stateMachine(id).texts()).toEqual(texts(100));
    const readIndex = await cluster.world.settle(leader.node.readIndex(), 5000);
    expect(readIndex).toBe(leader.node.status().commitIndex);
    expect(leader.node.status()).toMatchObject({ role: "leader", isReadyLeader: true, leader: leader.id });
  });

  it("answers proposals and reads at a follower with the leader", async () => {
    const cluster = new SimCluster({ seed: 2 });
    await cluster.startAll();
    const leader = await cluster.elect(2000);
    const follower = [...cluster.members.values()].find(({ id }) => id !== leader.id);
    if (follower === undefined) throw new Error("there are followers");
    await cluster.world.runUntil(() => follower.node.status().leader === leader.id, 2000);
    expect(await cluster.propose(follower, "x")).toEqual({ kind: "notLeader", leader: leader.id });
    const refusal = await cluster.world.settle(
      follower.node.readIndex().catch((error: unknown) => error),
      5000,
    );
    expect(refusal).toMatchObject({ kind: "notLeader", leaderAddress: `${nameOf(leader.id)}:7000` });
  });

  it("survives the end of any member and of all at once", async () => {
    const cluster = new SimCluster({ seed: 3 });
    await cluster.startAll();
    const expected: string[] = [];
    for (let round = 0; round < 6; round++) {
      const leader = await cluster.elect();
      const text = `round ${round}`;
      expect(await cluster.propose(leader, text)).toMatchObject({ kind: "applied" });
      expected.push(text);
      if (round === 3) for (const id of cluster.ids) cluster.crash(id, "powerCut");
      else cluster.crash(leader.id, round % 2 === 0 ? "powerCut" : "process");
      if (round !== 3) {
        const next = await cluster.elect();
        expect(await cluster.propose(next, `${text} again`)).toMatchObject({ kind: "applied" });
        expected.push(`${text} again`);
      }
      for (const id of cluster.ids) if (!cluster.members.has(id)) await cluster.start(id);
    }
    expect(await cluster.settleApplied()).toBe(true);
    for (const id of cluster.ids) expect(cluster.stateMachine(id).texts()).toEqual(expected);
  });

  it("stops cleanly, ends open proposals as unknown, and starts again from its log", async () => {
    const cluster = new SimCluster({ seed: 4 });
    await cluster.startAll();
    const leader = await cluster.elect();
    await cluster.propose(leader, "kept");
    cluster.crash(cluster.ids.find((id) => id !== leader.id) ?? (0 as PeerId));
    cluster.crash(cluster.ids.find((id) => id !== leader.id && cluster.members.has(id)) ?? (0 as PeerId));
    const open = leader.node.propose(new TextEncoder().encode("alone"));
    await cluster.world.runFor(50);
    await cluster.world.settle(leader.stop(), 5000);
    expect(await open).toEqual({ kind: "unknown" });
    cluster.stateMachines.clear();
    await cluster.startAll();
    await cluster.elect();
    expect(await cluster.settleApplied()).toBe(true);
    for (const id of cluster.ids) expect(cluster.stateMachine(id).texts()[0]).toBe("kept");
  });

  it("hands leadership over when it is stopped: no proposal fails and the next one leads at once", async () => {
    const cluster = new SimCluster({ seed: 11 });
    await cluster.startAll();
    const old = await cluster.elect();
    const open = texts(200).map((text) => old.node.propose(new TextEncoder().encode(text)));
    const startedMs = cluster.world.nowMs();
    await cluster.world.settle(old.stop(), 5000);
    const outcomes = await Promise.all(open);
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(["applied"]));
    await cluster.elect();
    expect(cluster.world.nowMs() - startedMs).toBeLessThan(200);
    expect(await cluster.settleApplied()).toBe(true);
    for (const { id } of cluster.members.values()) expect(cluster.stateMachine(id).texts()).toEqual(texts(200));
  });

  it("gives up leadership when it is cut off, and its proposals end", async () => {
    const cluster = new SimCluster({ seed: 5 });
    await cluster.startAll();
    const old = await cluster.elect();
    const others = cluster.ids.filter((id) => id !== old.id).map(nameOf);
    cluster.network.partition([nameOf(old.id)], others);
    const lost = old.node.propose(new TextEncoder().encode("lost"));
    const read = old.node.readIndex().catch((error: unknown) => error);
    const isNew = (): boolean => cluster.leader() !== undefined && cluster.leader()?.id !== old.id;
    expect(await cluster.world.runUntil(isNew, 5000)).toBe(true);
    expect(await cluster.world.runUntil(() => old.node.status().role !== "leader", 5000)).toBe(true);
    const next = await cluster.elect();
    expect(await cluster.propose(next, "won")).toMatchObject({ kind: "applied" });
    cluster.network.heal();
    expect(await cluster.settleApplied()).toBe(true);
    expect(["superseded", "unknown"]).toContain((await cluster.world.settle(lost, 5000)).kind);
    expect(await cluster.world.settle(read, 5000)).toBeInstanceOf(Error);
    for (const id of cluster.ids) expect(cluster.stateMachine(id).texts()).toEqual(["won"]);
  });

  it("steps down when its disk stalls, and another leads within 3 s", async () => {
    const cluster = new SimCluster({ seed: 6 });
    await cluster.startAll();
    const old = await cluster.elect();
    cluster.world.machine(nameOf(old.id)).disk.stall();
    void old.node.propose(new TextEncoder().encode("stuck"));
    const isOther = (): boolean =>
      [...cluster.members.values()].some(({ id, node }) => id !== old.id && node.status().isReadyLeader);
    expect(await cluster.world.runUntil(isOther, 3500)).toBe(true);
    expect(old.events.some(({ kind }) => kind === "diskStalled")).toBe(true);
    cluster.world.machine(nameOf(old.id)).disk.resume();
    expect(await cluster.settleApplied()).toBe(true);
  });

  it("falls silent when its disk fails, says so, and the others go on", async () => {
    const cluster = new SimCluster({ seed: 7 });
    await cluster.startAll();
    const old = await cluster.elect();
    cluster.world.machine(nameOf(old.id)).disk.failingSyncCount = 1;
    expect(await cluster.propose(old, "x")).toEqual({ kind: "unknown" });
    expect(old.events.at(-1)).toMatchObject({ kind: "diskFailed" });
    const isOther = (): boolean =>
      [...cluster.members.values()].some(({ id, node }) => id !== old.id && node.status().isReadyLeader);
    expect(await cluster.world.runUntil(isOther, 3500)).toBe(true);
    expect(await cluster.propose(old, "y")).toEqual({ kind: "notLeader", leader: undefined });
    await cluster.world.settle(old.stop(), 5000);
  });

  it("shortens the log only as far as every member has it", async () => {
    const settings = { retainedEntriesMin: 20, compactionCheckMs: 200, segmentBytesMax: 4096, recentBytesMax: 2048 };
    const cluster = new SimCluster({ seed: 8, settings });
    await cluster.startAll();
    const leader = await cluster.elect();
    const away = cluster.ids.find((id) => id !== leader.id) ?? (0 as PeerId);
    for (const text of texts(100)) await cluster.propose(leader, text);
    await cluster.world.runFor(2000);
    for (const { node } of cluster.members.values()) expect(node.status().firstIndex).toBeGreaterThan(50);
    cluster.crash(away);
    for (const text of texts(200, 100)) await cluster.propose(leader, text);
    await cluster.world.runFor(2000);
    for (const { node } of cluster.members.values()) expect(node.status().firstIndex).toBeLessThan(110);
    const back = await cluster.start(away);
    expect(await cluster.settleApplied()).toBe(true);
    expect(cluster.stateMachine(away).texts()).toEqual(texts(300));
    await cluster.world.runFor(2000);
    expect(back.node.status().firstIndex).toBeGreaterThan(200);
  });

  it("refuses to start with another list of masters, or with a state that the log does not reach", async () => {
    const cluster = new SimCluster({ seed: 9 });
    await cluster.startAll();
    await cluster.propose(await cluster.elect(), "x");
    for (const id of cluster.ids) cluster.crash(id);
    const machine = cluster.stateMachine(1 as PeerId);
    await machine.apply([], 1000 as LogIndex);
    await expect(cluster.start(1 as PeerId)).rejects.toMatchObject({ kind: "dataLoss" });
  });

  it("is the same run for the same seed", async () => {
    const run = async (): Promise<string> => {
      const cluster = new SimCluster({ seed: "same" });
      await cluster.startAll();
      const leader = await cluster.elect();
      for (const text of texts(20)) await cluster.propose(leader, text);
      cluster.crash(leader.id, "powerCut");
      await cluster.elect();
      return cluster.world.traceHash();
    };
    expect(await run()).toBe(await run());
  });
});
