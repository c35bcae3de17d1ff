import { describe, expect, test } from "vitest";
import { userOf } from "../test/sim-files.ts";
import { SimMasters } from "../test/sim-masters.ts";

const raft = {
  retainedEntriesMin: 10,
  laggingEntriesMax: 20,
  compactionCheckMs: 100,
  segmentBytesMax: 16_384,
  recentBytesMax: 4096,
};

async function clusterOf(seed: number): Promise<SimMasters> {
  const cluster = new SimMasters({ seed, changes: { raft } });
  await cluster.startAll();
  await cluster.leader();
  return cluster;
}

function hashes(cluster: SimMasters): readonly string[] {
  return [...cluster.masters.values()].map(({ master }) => {
    const { index, stateHash } = master.foldedState();
    return `${index} ${Buffer.from(stateHash).toString("hex")}`;
  });
}

async function makeFolders(
  cluster: SimMasters,
  owner: Awaited<ReturnType<typeof userOf>>,
  count: number,
): Promise<void> {
  for (let number = 0; number < count; number++) {
    await cluster.execute({
      case: "createFolder",
      value: {
        $typeName: "holdfast.master.v1.CreateFolder",
        ...{
          parentId: owner.parentId,
          name: `folder ${number} ${cluster.world.nowMs()}`,
          userId: owner.userId,
          keepExisting: false,
        },
      },
    });
  }
}

describe("snapshots between masters", () => {
  test("a master that was away for too long gets the state and goes on, across restarts", async () => {
    const cluster = await clusterOf(41);
    const owner = await userOf(cluster);
    const leader = await cluster.leader();
    const away = cluster.ids.find((id) => id !== leader.id) ?? 0;
    cluster.crash(away);
    await makeFolders(cluster, owner, 80);
    await cluster.world.runFor(1000);
    expect(leader.master.raft.status().snapshotIndex).toBeGreaterThan(40);
    await cluster.start(away);
    expect(await cluster.settled()).toBe(true);
    expect(new Set(hashes(cluster)).size).toBe(1);
    cluster.crash(away, "powerCut");
    await cluster.start(away);
    await makeFolders(cluster, owner, 10);
    expect(await cluster.settled()).toBe(true);
    expect(new Set(hashes(cluster)).size).toBe(1);
  });

  test("a master whose data folder was deleted is back in service by itself, the leader's too", async () => {
    const cluster = await clusterOf(42);
    const owner = await userOf(cluster);
    for (const which of ["follower", "leader", "follower"] as const) {
      const leader = await cluster.leader();
      const lost = which === "leader" ? leader.id : (cluster.ids.find((id) => id !== leader.id) ?? 0);
      cluster.crash(lost);
      cluster.world.machine(`master-${lost}`).wipe();
      await makeFolders(cluster, owner, 30);
      const back = await cluster.start(lost);
      const isBack = (): boolean => {
        const { voters, standing } = back.master.raft.status();
        return (
          standing === "member" && voters.includes(back.master.raft.status().id) && back.master.readiness().isReady
        );
      };
      expect(await cluster.world.runUntil(isBack, 20_000), which).toBe(true);
      expect(await cluster.settled()).toBe(true);
      expect(new Set(hashes(cluster)).size).toBe(1);
    }
  });
});
