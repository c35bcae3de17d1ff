import { must } from "@holdfast/base";
import { describe, expect, it } from "vitest";
import { nameOf, SimCluster, type SimMember } from "../../test/sim-cluster.ts";

async function started(seed: number, forwardedReads: 0 | 1): Promise<[SimCluster, SimMember, SimMember]> {
  const cluster = new SimCluster({ seed, settings: { forwardedReads } });
  await cluster.startAll();
  const leader = await cluster.elect();
  const follower = must(
    [...cluster.members.values()].find(({ id }) => id !== leader.id),
    "three members have two followers",
  );
  return [cluster, leader, follower];
}

function refusalOf(cluster: SimCluster, member: SimMember): Promise<unknown> {
  const refused = member.node.readIndex().then(
    (index) => `read at ${index}`,
    (error: unknown) => error,
  );
  return cluster.world.settle(refused, 30_000);
}

describe("reads at a follower", () => {
  it("are answered by itself, with everything that was acknowledged before", async () => {
    const [cluster, leader, follower] = await started(80, 1);
    for (let count = 0; count < 20; count++) {
      const outcome = await cluster.propose(leader, `${count}`);
      if (outcome.kind !== "applied") throw new Error(outcome.kind);
      const index = await cluster.world.settle(follower.node.readIndex(), 5000);
      expect(index).toBeGreaterThanOrEqual(outcome.index);
      expect(cluster.stateMachine(follower.id).texts()).toContain(`${count}`);
    }
  });

  it("are not answered from what a deposed leader says, nor without a leader", async () => {
    const [cluster, leader, follower] = await started(81, 1);
    const others = cluster.ids.filter((id) => id !== leader.id && id !== follower.id);
    for (const id of others) cluster.crash(id);
    cluster.crash(leader.id);
    await cluster.world.runFor(2000);
    expect(await refusalOf(cluster, follower)).toMatchObject({
      kind: expect.stringMatching(/^(notLeader|unavailable)$/),
    });
    for (const id of others) await cluster.start(id);
    const next = await cluster.elect();
    await cluster.propose(next, "later");
    const index = await cluster.world.settle(follower.node.readIndex(), 5000);
    expect(index).toBe(next.node.status().commitIndex);
  });

  it("end when the leader is cut off, and are answered when there is another one", async () => {
    const [cluster, leader, follower] = await started(82, 1);
    const others = cluster.ids.filter((id) => id !== leader.id).map(nameOf);
    cluster.network.partition([nameOf(leader.id)], others);
    expect(await refusalOf(cluster, follower)).toMatchObject({
      kind: expect.stringMatching(/^(unavailable|deadline)$/),
    });
    await cluster.world.runFor(5000);
    expect(await cluster.world.settle(follower.node.readIndex(), 5000)).toBeGreaterThan(0);
  });

  it("name the leader where they are not forwarded, which is the default", async () => {
    const [cluster, leader, follower] = await started(83, 0);
    const address = `${nameOf(leader.id)}:7000`;
    expect(await refusalOf(cluster, follower)).toMatchObject({ kind: "notLeader", leaderAddress: address });
  });
});
