import { describe, expect, it } from "vitest";
import type { LogIndex, PeerId } from "../core/types.ts";
import { nameOf, SimCluster, type SimMember } from "../../test/sim-cluster.ts";

const settings = {
  retainedEntriesMin: 20,
  laggingEntriesMax: 40,
  compactionCheckMs: 100,
  segmentBytesMax: 8192,
  recentBytesMax: 2048,
  snapshotRetryMs: 50,
};

const texts = (count: number, start = 0): string[] =>
  Array.from({ length: count }, (_, index) => `entry ${start + index}`);

async function proposeAll(cluster: SimCluster, leader: SimMember, all: readonly string[]): Promise<void> {
  const outcomes = all.map((text) => leader.node.propose(new TextEncoder().encode(text)));
  for (const { kind } of await cluster.world.settle(Promise.all(outcomes), 60_000)) expect(kind).toBe("applied");
}

function followerOf(cluster: SimCluster, leader: SimMember): PeerId {
  const follower = cluster.ids.find((id) => id !== leader.id);
  if (follower === undefined) throw new Error("there are followers");
  return follower;
}

describe("snapshots in a simulated world", () => {
  it("the log does not wait for the slowest for ever: who lags too far gets the state and then the log", async () => {
    const cluster = new SimCluster({ seed: 21, settings, pieceEntries: 10 });
    await cluster.startAll();
    const leader = await cluster.elect();
    const away = followerOf(cluster, leader);
    await proposeAll(cluster, leader, texts(50));
    cluster.crash(away);
    await proposeAll(cluster, leader, texts(250, 50));
    await cluster.world.runFor(500);
    expect(leader.node.status().snapshotIndex).toBeGreaterThan(200);
    const back = await cluster.start(away);
    await proposeAll(cluster, leader, texts(100, 300));
    expect(await cluster.settleApplied()).toBe(true);
    for (const id of cluster.ids) expect(cluster.stateMachine(id).texts()).toEqual(texts(400));
    expect(cluster.stateMachine(away).installCount).toBe(1);
    expect(back.events.some(({ kind }) => kind === "snapshotInstalled")).toBe(true);
    const isTold = (): boolean => leader.events.some(({ kind }) => kind === "snapshotSent");
    expect(await cluster.world.runUntil(isTold, 1000)).toBe(true);
    expect(leader.node.status().transfers).toEqual([]);
    cluster.crash(away, "powerCut");
    await cluster.start(away);
    expect(await cluster.settleApplied()).toBe(true);
    expect(cluster.stateMachine(away).texts()).toEqual(texts(400));
  });

  it("goes on where a broken stream broke", async () => {
    const cluster = new SimCluster({ seed: 22, settings, pieceEntries: 1 });
    await cluster.startAll();
    const leader = await cluster.elect();
    const away = followerOf(cluster, leader);
    cluster.crash(away);
    const large = texts(300).map((text) => text.padEnd(2000, "."));
    await proposeAll(cluster, leader, large);
    await cluster.world.runFor(500);
    const back = await cluster.start(away);
    const received = (): number => cluster.stateMachine(away).addedPieces;
    for (let part = 1; part <= 3; part++) {
      expect(await cluster.world.runUntil(() => received() >= part * 70, 5000)).toBe(true);
      expect(back.node.status().incoming).toMatchObject({ from: leader.id });
      expect(leader.node.status().transfers).toMatchObject([{ peer: away }]);
      cluster.network.breakConnections(nameOf(leader.id), nameOf(away));
    }
    expect(await cluster.settleApplied()).toBe(true);
    expect(cluster.stateMachine(away).texts()).toEqual(large);
    expect(received(), "no piece is taken twice").toBe(300);
    expect(leader.events.filter(({ kind }) => kind === "snapshotBroke")).toHaveLength(3);
  });

  it("has the old or the new state whole when power is cut at any moment of it", async () => {
    for (let round = 0; round < 25; round++) {
      const cluster = new SimCluster({ seed: `cut ${round}`, settings, pieceEntries: 20 });
      await cluster.startAll();
      const leader = await cluster.elect();
      const away = followerOf(cluster, leader);
      cluster.crash(away);
      await proposeAll(cluster, leader, texts(300));
      await cluster.world.runFor(500);
      await cluster.start(away);
      await cluster.world.runUntil(() => leader.node.status().transfers.length > 0, 5000);
      await cluster.world.runFor(round * 1.1);
      cluster.crash(away, "powerCut");
      await cluster.start(away);
      expect(await cluster.settleApplied(), `round ${round}`).toBe(true);
      expect(cluster.stateMachine(away).texts()).toEqual(texts(300));
    }
  });

  it("serves while a snapshot is on its way, and ends it when leadership is lost", async () => {
    const cluster = new SimCluster({ seed: 24, settings, pieceEntries: 1 });
    await cluster.startAll();
    const leader = await cluster.elect();
    const away = followerOf(cluster, leader);
    cluster.crash(away);
    await proposeAll(cluster, leader, texts(400));
    await cluster.world.runFor(500);
    await cluster.start(away);
    await cluster.world.runUntil(() => leader.node.status().transfers.length > 0, 5000);
    await proposeAll(cluster, leader, texts(20, 400));
    expect(leader.node.status().transfers).toHaveLength(1);
    await cluster.world.settle(leader.node.transferLeadership(), 5000);
    await cluster.world.runFor(10);
    expect(leader.node.status().transfers).toEqual([]);
    const next = await cluster.elect();
    expect(next.id).not.toBe(leader.id);
    await proposeAll(cluster, next, texts(20, 420));
    expect(await cluster.settleApplied()).toBe(true);
    expect(cluster.stateMachine(away).texts()).toEqual(texts(440));
  });
});

describe("directories that were lost", () => {
  const start = async (seed: number): Promise<{ cluster: SimCluster; leader: SimMember }> => {
    const cluster = new SimCluster({ seed, settings, pieceEntries: 10 });
    await cluster.startAll();
    const leader = await cluster.elect();
    await proposeAll(cluster, leader, texts(30));
    await cluster.world.runFor(2000);
    return { cluster, leader };
  };

  it("a wiped member comes back by itself: without a vote, then with the state, then with a vote", async () => {
    const { cluster, leader } = await start(31);
    const lost = followerOf(cluster, leader);
    const before = cluster.members.get(lost)?.node.status().incarnation;
    cluster.wipe(lost);
    await proposeAll(cluster, leader, texts(200, 30));
    const back = await cluster.start(lost);
    expect(back.node.status().standing).toBe("undecided");
    const isLearner = (): boolean => leader.node.status().learners.includes(lost);
    expect(await cluster.world.runUntil(isLearner, 5000)).toBe(true);
    await proposeAll(cluster, leader, texts(20, 230));
    const isVoter = (): boolean =>
      leader.node.status().voters.includes(lost) && back.node.status().voters.includes(lost);
    expect(await cluster.world.runUntil(isVoter, 10_000)).toBe(true);
    expect(await cluster.settleApplied()).toBe(true);
    expect(cluster.stateMachine(lost).texts()).toEqual(texts(250));
    expect(back.node.status()).toMatchObject({ standing: "member", role: "follower" });
    expect(back.node.status().incarnation).not.toBe(before);
    expect(cluster.stateMachine(lost).installCount).toBe(1);
    // It counts again: with one of the others gone the group goes on.
    const third = cluster.ids.find((id) => id !== lost && id !== leader.id) ?? (0 as PeerId);
    cluster.crash(third);
    await proposeAll(cluster, leader, texts(5, 250));
  });

  it("a wiped leader's directory comes back, too", async () => {
    const { cluster, leader } = await start(32);
    cluster.wipe(leader.id);
    const next = await cluster.elect();
    await proposeAll(cluster, next, texts(50, 30));
    await cluster.start(leader.id);
    const isVoter = (): boolean =>
      next.node.status().voters.includes(leader.id) && next.node.status().learners.length === 0;
    await cluster.world.runFor(500);
    expect(await cluster.world.runUntil(isVoter, 10_000)).toBe(true);
    expect(await cluster.settleApplied()).toBe(true);
    expect(cluster.stateMachine(leader.id).texts()).toEqual(texts(80));
  });

  it("wiped members neither vote nor found a second group while the one that remembers is away", async () => {
    const { cluster, leader } = await start(33);
    cluster.crash(leader.id);
    const others = cluster.ids.filter((id) => id !== leader.id);
    for (const id of others) cluster.wipe(id);
    for (const id of others) await cluster.start(id);
    await cluster.world.runFor(10_000);
    expect(cluster.leader()).toBeUndefined();
    for (const id of others) expect(cluster.members.get(id)?.node.status()).toMatchObject({ term: 0, lastIndex: 0 });
  });

  it("a new member that was away when the group was founded is welcome", async () => {
    const cluster = new SimCluster({ seed: 34, settings, pieceEntries: 10 });
    await cluster.startAll();
    const leader = await cluster.elect();
    expect(leader.node.status().standing).toBe("member");
    for (const { node } of cluster.members.values()) expect(node.status().standing).toBe("member");
    await cluster.world.runFor(3000);
    expect(leader.node.status().lastIndex).toBeLessThanOrEqual(3);
  });

  it("an old copy of a directory is found out by who remembers more, and joins anew", async () => {
    const { cluster, leader } = await start(35);
    const old = followerOf(cluster, leader);
    const machine = cluster.world.machine(nameOf(old));
    cluster.crash(old);
    const copy = [...machine.disk.data.files()].map(([path, inode]) => [path, inode.read(0, inode.sizeBytes)] as const);
    const entries = [...cluster.stateMachine(old).entries];
    const index = cluster.stateMachine(old).appliedIndex();
    await cluster.start(old);
    await proposeAll(cluster, leader, texts(10, 30));
    expect(await cluster.settleApplied()).toBe(true);
    await cluster.world.runFor(500);
    cluster.crash(old);
    machine.wipe();
    machine.disk.data.makeDirectory("/raft");
    for (const [path, bytes] of copy) {
      const inode = machine.disk.data.create(path);
      inode.write(bytes, 0);
      inode.sync();
    }
    machine.disk.data.syncDirectory("/raft");
    cluster.stateMachine(old).replace(entries, index as LogIndex);
    const restored = await cluster.start(old);
    const isFound = (): boolean => restored.events.some(({ kind }) => kind === "diskFailed");
    expect(await cluster.world.runUntil(isFound, 5000)).toBe(true);
    cluster.crash(old);
    const back = await cluster.start(old);
    const isVoter = (): boolean => back.node.status().standing === "member" && back.node.status().voters.includes(old);
    expect(await cluster.world.runUntil(isVoter, 10_000)).toBe(true);
    expect(await cluster.settleApplied()).toBe(true);
    expect(cluster.stateMachine(old).texts()).toEqual(texts(40));
  });
});
