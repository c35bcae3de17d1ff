import { describe, expect, it } from "vitest";
import type { PeerId } from "../core/types.ts";
import { nameOf, SimCluster, type SimMember } from "../../test/sim-cluster.ts";

const settings = { retainedEntriesMin: 1000, segmentBytesMax: 8192, recentBytesMax: 2048, snapshotRetryMs: 50 };
const segment = (number: number): string => `/raft/log-${number.toString(16).padStart(16, "0")}`;

const texts = (count: number, start = 0): string[] =>
  Array.from({ length: count }, (_, index) => `entry ${start + index}`);

async function begin(seed: number | string): Promise<{ cluster: SimCluster; leader: SimMember; follower: PeerId }> {
  const cluster = new SimCluster({ seed, settings, pieceEntries: 10 });
  await cluster.startAll();
  const leader = await cluster.elect();
  const follower = cluster.ids.find((id) => id !== leader.id) ?? (0 as PeerId);
  return { cluster, leader, follower };
}

async function proposeAll(cluster: SimCluster, member: SimMember, all: readonly string[]): Promise<void> {
  // One by one, so that the log has many records.
  for (const text of all) expect(await cluster.propose(member, text)).toMatchObject({ kind: "applied" });
}

function isVoterAgain(cluster: SimCluster, id: PeerId): boolean {
  const status = cluster.members.get(id)?.node.status();
  return status?.standing === "member" && status.voters.includes(id) && cluster.leader() !== undefined;
}

describe("disk trouble", () => {
  it("bit rot in the middle of the log is found at the start; the log is set aside whole and the member taken back", async () => {
    const { cluster, leader, follower } = await begin(71);
    await proposeAll(cluster, leader, texts(200));
    await cluster.world.runFor(500);
    cluster.crash(follower);
    const { disk } = cluster.world.machine(nameOf(follower));
    disk.corrupt(segment(2), 3000);
    await proposeAll(cluster, leader, texts(20, 200));
    const back = await cluster.start(follower);
    expect(back.node.status().standing).toBe("joining");
    expect(await cluster.world.runUntil(() => isVoterAgain(cluster, follower), 10_000)).toBe(true);
    expect(await cluster.settleApplied()).toBe(true);
    expect(cluster.stateMachine(follower).texts()).toEqual(texts(220));
    const kept = [...disk.data.files()].map(([path]) => path).filter((path) => path.endsWith(".set-aside"));
    expect(kept).toContain(`${segment(2)}.set-aside`);
    // A second time: what was set aside first makes room.
    cluster.crash(follower);
    disk.corrupt("/raft/identity", 100);
    await cluster.start(follower);
    expect(await cluster.world.runUntil(() => isVoterAgain(cluster, follower), 10_000)).toBe(true);
    expect(await cluster.settleApplied()).toBe(true);
  });

  it("rot that is met while the node runs ends it, and the next start takes it back", async () => {
    const { cluster, leader, follower } = await begin(72);
    cluster.crash(follower);
    await proposeAll(cluster, leader, texts(300));
    const { disk } = cluster.world.machine(nameOf(leader.id));
    for (let position = 2000; position < 6000; position += 100) disk.corrupt(segment(2), position);
    await cluster.start(follower);
    const isFailed = (): boolean => leader.events.some(({ kind }) => kind === "diskFailed");
    expect(await cluster.world.runUntil(isFailed, 5000)).toBe(true);
    cluster.crash(leader.id);
    await cluster.start(leader.id);
    expect(await cluster.world.runUntil(() => isVoterAgain(cluster, leader.id), 10_000)).toBe(true);
    expect(await cluster.settleApplied()).toBe(true);
    for (const id of cluster.ids) expect(cluster.stateMachine(id).texts()).toEqual(texts(300));
  });

  it("a damaged log is set aside and taken back although power is cut at any moment of that", async () => {
    for (let round = 0; round < 16; round++) {
      const { cluster, leader, follower } = await begin(`aside ${round}`);
      await proposeAll(cluster, leader, texts(60));
      cluster.crash(follower);
      cluster.world.machine(nameOf(follower)).disk.corrupt(segment(1), 1500);
      void cluster.startInBackground(follower);
      await cluster.world.runFor(round * 1.5);
      cluster.world.machine(nameOf(follower)).powerCut();
      cluster.members.delete(follower);
      await cluster.start(follower);
      expect(await cluster.world.runUntil(() => isVoterAgain(cluster, follower), 10_000), `round ${round}`).toBe(true);
      expect(await cluster.settleApplied()).toBe(true);
      expect(cluster.stateMachine(follower).texts()).toEqual(texts(60));
    }
  });

  it("a follower whose disk stalls acknowledges nothing and does not campaign; afterwards it goes on", async () => {
    const { cluster, leader, follower } = await begin(73);
    const third = cluster.ids.find((id) => id !== leader.id && id !== follower) ?? (0 as PeerId);
    cluster.crash(third);
    const { disk } = cluster.world.machine(nameOf(follower));
    disk.stall();
    const waiting = leader.node.propose(new TextEncoder().encode("waits"));
    let isOver = false;
    void waiting.then(() => (isOver = true));
    await cluster.world.runFor(1500);
    expect(isOver).toBe(false);
    const { term } = leader.node.status();
    disk.resume();
    expect(await cluster.world.settle(waiting, 3000)).toMatchObject({ kind: "applied" });
    expect(leader.node.status().term).toBe(term);
  });

  it("a leader whose fsync stalls steps down within three seconds, and another one leads", async () => {
    const { cluster, leader } = await begin(74);
    await cluster.world.runFor(500);
    cluster.world.machine(nameOf(leader.id)).disk.stall();
    void leader.node.propose(new TextEncoder().encode("stuck"));
    const startedMs = cluster.world.nowMs();
    expect(await cluster.world.runUntil(() => leader.node.status().role !== "leader", 3000)).toBe(true);
    const others = [...cluster.members.values()].filter(({ id }) => id !== leader.id);
    const isOther = (): boolean => others.some(({ node }) => node.status().isReadyLeader);
    expect(await cluster.world.runUntil(isOther, 3000)).toBe(true);
    expect(cluster.world.nowMs() - startedMs).toBeLessThan(3000);
  });

  it("a member that is alone keeps its damaged log and says so: nobody could give it back", async () => {
    const cluster = new SimCluster({ seed: 75, size: 1, settings, pieceEntries: 10 });
    await cluster.startAll();
    await proposeAll(cluster, await cluster.elect(), texts(100));
    cluster.crash(1 as PeerId);
    cluster.world.machine("m1").disk.corrupt(segment(1), 1500);
    await expect(cluster.start(1 as PeerId)).rejects.toMatchObject({ kind: "dataLoss" });
  });
});
