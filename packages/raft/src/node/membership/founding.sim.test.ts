import { withPlanted } from "@holdfast/base/planting";
import { describe, expect, it } from "vitest";
import type { PeerId } from "../../core/types.ts";
import { nameOf, SimCluster } from "../../../test/sim-cluster.ts";

const settings = { snapshotRetryMs: 50 };

/**
 * A member that knows of no leader yet; one with an acknowledged entry that is away; and one that lost it. Returns what all
 * have once the second is back; nothing when the two others led without it.
 */
async function loseYoung(seed: number): Promise<readonly (readonly string[])[]> {
  const cluster = new SimCluster({ seed, settings, pieceEntries: 10 });
  await cluster.startAll();
  const isFounded = (): boolean =>
    [...cluster.members.values()].every(({ node }) => node.status().standing === "member");
  expect(await cluster.world.runUntil(isFounded, 250)).toBe(true);
  const ignorant = cluster.ids[seed % 3] ?? (0 as PeerId);
  for (const id of cluster.ids) {
    cluster.network.block(nameOf(ignorant), nameOf(id));
    cluster.network.block(nameOf(id), nameOf(ignorant));
  }
  const leader = await cluster.elect();
  await cluster.propose(leader, "young");
  cluster.crash(leader.id, "powerCut");
  const lost = cluster.ids.find((id) => id !== leader.id && id !== ignorant) ?? (0 as PeerId);
  cluster.wipe(lost);
  cluster.network.heal();
  await cluster.start(lost);
  await cluster.world.runFor(3000);
  if (cluster.leader() !== undefined) return [];
  await cluster.start(leader.id);
  await cluster.elect();
  await cluster.settleApplied();
  return cluster.ids.map((id) => cluster.stateMachine(id).texts());
}

describe("a group in its first second", () => {
  it("a wiped member founds nothing with one that knows of nothing, nor takes back what it had acknowledged", async () => {
    for (let seed = 1; seed <= 9; seed++) expect(await loseYoung(seed)).toEqual([["young"], ["young"], ["young"]]);
  });

  it("would, if somebody's knowing no other directory were enough", async () => {
    expect(await withPlanted("welcomeIsEnough", () => loseYoung(3))).toEqual([]);
  });

  it("whoever does not hear all others at first founds when it does, and counts", async () => {
    const cluster = new SimCluster({ seed: 36, settings, pieceEntries: 10 });
    cluster.network.block("m3", "m1");
    await cluster.startAll();
    await cluster.world.runFor(3000);
    cluster.network.heal();
    await cluster.world.runFor(1000);
    for (const { node } of cluster.members.values()) expect(node.status().standing).toBe("member");
    for (const name of ["m1", "m2"]) cluster.network.block("m3", name);
    await cluster.world.runFor(2000);
    await cluster.propose(await cluster.elect(), "served by two");
  });

  /** Two found, elect and write; the third was there, but could not write that it founds too. Then one of the two is lost. */
  async function startStalled(seed: number): Promise<boolean> {
    const cluster = new SimCluster({ seed, settings, pieceEntries: 10 });
    await cluster.startAll();
    const stalled = 3 as PeerId;
    const { disk } = cluster.world.machine(nameOf(stalled));
    disk.stall();
    const leader = await cluster.elect();
    await cluster.propose(leader, "served by two");
    cluster.crash(stalled);
    const lost = cluster.ids.find((id) => id !== leader.id && id !== stalled) ?? (0 as PeerId);
    cluster.crash(lost);
    await cluster.world.runFor(2000);
    disk.resume();
    await cluster.start(stalled);
    return cluster.world.runUntil(() => cluster.leader() !== undefined, 5000);
  }

  it("whoever was there when it was founded and could not write it has a vote when it can", async () => {
    for (let seed = 1; seed <= 5; seed++) expect(await startStalled(seed)).toBe(true);
  });

  it("would have none, if founders did not vouch for each other", async () => {
    expect(await withPlanted("foundersForgotten", () => startStalled(1))).toBe(false);
  });
});
