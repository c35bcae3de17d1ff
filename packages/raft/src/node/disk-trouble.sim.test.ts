import { describe, expect, it } from "vitest";
import type { PeerId } from "../core/types.ts";
import type { RaftSettings } from "./settings.ts";
import { nameOf, SimCluster, type SimMember } from "../../test/sim-cluster.ts";

const settings = { retainedEntriesMin: 1000, segmentBytesMax: 8192, recentBytesMax: 2048, snapshotRetryMs: 50 };
const segment = (number: number): string => `/raft/log-${number.toString(16).padStart(16, "0")}`;

const texts = (count: number, start = 0): string[] =>
  Array.from({ length: count }, (_, index) => `entry ${start + index}`);

async function begin(
  seed: number | string,
  over: Partial<RaftSettings> = {},
): Promise<{ cluster: SimCluster; leader: SimMember; follower: PeerId }> {
  const cluster = new SimCluster({ seed, settings: { ...settings, ...over }, pieceEntries: 10 });
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
  it("bit rot in the middle of the log is found at the start, and the leader gives back what is lost, nothing else", async () => {
    const { cluster, leader, follower } = await begin(71);
    await proposeAll(cluster, leader, texts(200));
    await cluster.world.runFor(500);
    cluster.crash(follower);
    const { disk } = cluster.world.machine(nameOf(follower));
    const changes = leader.events.filter(({ kind }) => kind === "membershipChanged").length;
    for (const [number, position] of [
      [1, 3000],
      [2, 1000],
      [2, 3000],
      [2, 5000],
    ] as const)
      disk.corrupt(segment(number), position);
    await proposeAll(cluster, leader, texts(20, 200));
    const back = await cluster.start(follower);
    expect(back.node.status()).toMatchObject({ standing: "member" });
    expect(back.node.status().missingEntries).toBeGreaterThanOrEqual(4);
    expect(back.node.status().missingEntries).toBeLessThan(20);
    expect(await cluster.world.runUntil(() => back.node.status().missingEntries === 0, 5000)).toBe(true);
    expect(await cluster.settleApplied()).toBe(true);
    expect(cluster.stateMachine(follower).texts()).toEqual(texts(220));
    expect(back.events).toContainEqual({ kind: "logRepaired", entries: expect.any(Number) });
    // It had its vote all the time, and nothing was put aside.
    expect(leader.events.filter(({ kind }) => kind === "membershipChanged")).toHaveLength(changes);
    expect([...disk.data.files()].filter(([path]) => path.endsWith(".set-aside"))).toEqual([]);
    // The next start finds the same damage in the old records, and everything all the same.
    await cluster.world.settle(back.stop(), 10_000);
    const again = await cluster.start(follower);
    expect(again.node.status().missingEntries).toBe(0);
    expect(await cluster.settleApplied()).toBe(true);
  });

  it("two of three whose logs rotted in different places are whole again", async () => {
    const { cluster, leader } = await begin(76);
    await proposeAll(cluster, leader, texts(200));
    await cluster.world.runFor(500);
    cluster.ids.forEach((id, place) => {
      cluster.crash(id);
      if (id !== leader.id) cluster.world.machine(nameOf(id)).disk.corrupt(segment(2), 1500 + 2000 * place);
    });
    for (const id of cluster.ids) await cluster.start(id);
    await cluster.elect();
    const isWhole = (): boolean =>
      [...cluster.members.values()].every(({ node }) => node.status().missingEntries === 0);
    expect(await cluster.world.runUntil(isWhole, 5000)).toBe(true);
    expect(await cluster.settleApplied()).toBe(true);
    for (const id of cluster.ids) expect(cluster.stateMachine(id).texts()).toEqual(texts(200));
  });

  it("what rotted is whole again although power is cut at any moment of the repair", async () => {
    for (let round = 0; round < 24; round++) {
      const { cluster, leader, follower } = await begin(`repair ${round}`);
      await proposeAll(cluster, leader, texts(120));
      cluster.crash(follower);
      const { disk } = cluster.world.machine(nameOf(follower));
      disk.corrupt(segment(1), 1500 + 40 * round);
      disk.corrupt(segment(1), 4500 + 40 * round);
      void cluster.startInBackground(follower);
      await cluster.world.runFor(4 + round * 5);
      cluster.world.machine(nameOf(follower)).powerCut();
      cluster.members.delete(follower);
      const back = await cluster.start(follower);
      const isWhole = (): boolean => back.node.status().missingEntries === 0;
      expect(await cluster.world.runUntil(isWhole, 10_000), `round ${round}`).toBe(true);
      expect(await cluster.settleApplied()).toBe(true);
      expect(cluster.stateMachine(follower).texts()).toEqual(texts(120));
    }
  });

  it("gets a snapshot when the others have what it lost no more, and keeps its vote and directory", async () => {
    const { cluster, leader, follower } = await begin(77, {
      ...{ retainedEntriesMin: 20, laggingEntriesMax: 40, compactionCheckMs: 100 },
    });
    await proposeAll(cluster, leader, texts(100));
    await cluster.world.runFor(500);
    const { firstIndex, lastIndex } = leader.node.status();
    expect(lastIndex - firstIndex).toBeGreaterThan(15);
    cluster.crash(follower);
    const { disk } = cluster.world.machine(nameOf(follower));
    const last = [...disk.data.files()].filter(([path]) => path.includes("/log-")).at(-1);
    disk.corrupt(last?.[0] ?? "", (last?.[1].sizeBytes ?? 0) - 1000);
    await proposeAll(cluster, leader, texts(200, 100));
    const isCut = (): boolean => leader.node.status().firstIndex > lastIndex;
    expect(await cluster.world.runUntil(isCut, 5000)).toBe(true);
    const back = await cluster.start(follower);
    expect(back.node.status().missingEntries).toBeGreaterThan(0);
    const isInstalled = (): boolean => back.events.some(({ kind }) => kind === "snapshotInstalled");
    expect(await cluster.world.runUntil(isInstalled, 10_000)).toBe(true);
    expect(back.node.status().missingEntries).toBe(0);
    expect(await cluster.settleApplied()).toBe(true);
    expect(cluster.stateMachine(follower).texts()).toEqual(texts(300));
    expect([...disk.data.files()].filter(([path]) => path.endsWith(".set-aside"))).toEqual([]);
  });

  it("a log whose beginning is unreadable is set aside whole and the member taken back", async () => {
    const { cluster, leader, follower } = await begin(71);
    await proposeAll(cluster, leader, texts(200));
    await cluster.world.runFor(500);
    cluster.crash(follower);
    const { disk } = cluster.world.machine(nameOf(follower));
    disk.corrupt(segment(1), 610);
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

  it("a log damaged at its beginning is set aside and taken back although power is cut at any moment of that", async () => {
    for (let round = 0; round < 16; round++) {
      const { cluster, leader, follower } = await begin(`aside ${round}`);
      await proposeAll(cluster, leader, texts(60));
      cluster.crash(follower);
      cluster.world.machine(nameOf(follower)).disk.corrupt(segment(1), 610);
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
