import { withPlanted } from "@holdfast/base/planting";
import { describe, expect, it } from "vitest";
import { nameOf, SimCluster, type SimMember } from "../../test/sim-cluster.ts";

const settings = { leaseDriftPercent: 5 };

async function started(
  seed: number,
  given: { readonly leaseDriftPercent?: number } = settings,
): Promise<[SimCluster, SimMember]> {
  const cluster = new SimCluster({ seed, settings: given });
  await cluster.startAll();
  const leader = await cluster.elect();
  await cluster.propose(leader, "old");
  await cluster.world.runFor(500);
  return [cluster, leader];
}

/** Whether it is answered before anything else happens in the world. */
async function isAnsweredAtOnce(cluster: SimCluster, member: SimMember): Promise<boolean> {
  const askedAtMs = cluster.world.nowMs();
  await cluster.world.settle(member.node.readIndex(undefined, "lease"), 5000);
  return cluster.world.nowMs() === askedAtMs;
}

/** What a leader says that was paused while another one began to lead and to commit. */
async function readAfterPause(): Promise<"served" | "refused"> {
  const [cluster, leader] = await started(71);
  cluster.world.machine(nameOf(leader.id)).pause();
  await cluster.world.runFor(2500);
  const next = cluster.leader();
  if (next === undefined || next.id === leader.id) throw new Error("another one leads");
  await cluster.propose(next, "new");
  // The read is the first that it does when it goes on, before it hears of anything or counts a tick.
  const read = leader.node.readIndex(undefined, "lease").then(
    () => "served" as const,
    () => "refused" as const,
  );
  const isServed = await Promise.race([
    read,
    Promise.resolve()
      .then(() => cluster.world.runFor(0))
      .then(() => undefined),
  ]);
  cluster.world.machine(nameOf(leader.id)).resume();
  return isServed ?? (await cluster.world.settle(read, 10_000));
}

describe("reads on a lease", () => {
  it("take no round while the lease lasts", async () => {
    const [cluster, leader] = await started(70);
    expect(await isAnsweredAtOnce(cluster, leader)).toBe(true);
  });

  it("take a round where no leases are granted, which is the default", async () => {
    const [cluster, leader] = await started(70, {});
    expect(await isAnsweredAtOnce(cluster, leader)).toBe(false);
  });

  it("are refused by followers, who name the leader", async () => {
    const [cluster, leader] = await started(72);
    const follower = [...cluster.members.values()].find(({ id }) => id !== leader.id);
    const refusal = await follower?.node.readIndex(undefined, "lease").catch((error: unknown) => error);
    expect(refusal).toMatchObject({ kind: "notLeader", leaderAddress: `${nameOf(leader.id)}:7000` });
  });

  it("are not served by a leader that slept through its lease, though it has counted no tick", async () => {
    expect(await readAfterPause()).toBe("refused");
  });

  it("would be, by ticks alone", async () => {
    expect(await withPlanted("leaseByTicks", readAfterPause)).toBe("served");
  });
});
