import { withPlanted } from "@holdfast/base/planting";
import { describe, expect, it } from "vitest";
import type { PeerId } from "../../core/types.ts";
import { nameOf, SimCluster } from "../../../test/sim-cluster.ts";

const settings = { tickMs: 25, electionTicksMin: 12, snapshotRetryMs: 50 };

type Restore = () => void;

/** Copies a member's disk and state; the result puts the copy back. */
function backUp(cluster: SimCluster, id: PeerId): Restore {
  const { data } = cluster.world.machine(nameOf(id)).disk;
  const files = [...data.files()].map(([path, inode]) => [path, inode.read(0, inode.sizeBytes)] as const);
  const machine = cluster.stateMachine(id);
  const state = { entries: [...machine.entries], index: machine.appliedIndex() };
  return () => {
    data.wipe();
    data.makeDirectory("/raft");
    for (const [path, bytes] of files) {
      const inode = data.create(path);
      inode.write(bytes, 0);
      inode.sync();
    }
    data.syncDirectory("/raft");
    machine.replace(state.entries, state.index);
  };
}

/**
 * One member is away while entries are acknowledged by the two others. One of these two comes back with an old copy of its
 * directory, the other one is started anew, and so is the third: all are there. Returns what they have in the end.
 */
async function forget(seed: number, who: "follower" | "leader"): Promise<readonly (readonly string[])[]> {
  const cluster = new SimCluster({ seed, settings, pieceEntries: 10 });
  await cluster.startAll();
  const leader = await cluster.elect();
  const [follower, away] = cluster.ids.filter((id) => id !== leader.id);
  if (follower === undefined || away === undefined) throw new Error("a group of three has two followers");
  const restored = who === "follower" ? follower : leader.id;
  for (let number = 0; number < 10; number++) await cluster.propose(leader, `early ${number}`);
  await cluster.world.runFor(500);
  cluster.crash(away);
  const restore = backUp(cluster, restored);
  for (let number = 0; number < 20; number++) await cluster.propose(leader, `late ${number}`);
  await cluster.world.runFor(400);
  for (const id of [leader.id, follower]) cluster.crash(id, "powerCut");
  restore();
  // Whoever lacks the late entries is there first.
  void cluster.startInBackground(away);
  await cluster.world.runFor(cluster.world.random.fraction() * 900);
  void cluster.startInBackground(restored);
  await cluster.world.runFor(cluster.world.random.fraction() * 60);
  void cluster.startInBackground(restored === follower ? leader.id : follower);
  return settle(cluster);
}

const complete = [
  ...Array.from({ length: 10 }, (_, number) => `early ${number}`),
  ...Array.from({ length: 20 }, (_, number) => `late ${number}`),
];

/**
 * A leader whose only follower is started anew right after the term's first acknowledged entry comes back with an old copy
 * of its directory, of the term before; the third member lacks the entry. Returns what they have in the end.
 */
async function forgetTerm(seed: number): Promise<readonly (readonly string[])[]> {
  const cluster = new SimCluster({ seed, settings, pieceEntries: 10 });
  await cluster.startAll();
  const witness = await cluster.elect();
  const [leads, away] = cluster.ids.filter((id) => id !== witness.id);
  if (leads === undefined || away === undefined) throw new Error("a group of three has two followers");
  await cluster.propose(witness, "early");
  await cluster.settleApplied();
  await cluster.world.runFor(500);
  cluster.crash(away);
  const restore = backUp(cluster, leads);
  await cluster.world.settle(witness.node.transferLeadership(leads), 10_000);
  await cluster.propose(await cluster.elect(), "late");
  cluster.crash(witness.id);
  cluster.crash(leads, "powerCut");
  restore();
  void cluster.startInBackground(away);
  await cluster.world.runFor(cluster.world.random.fraction() * 900);
  void cluster.startInBackground(leads);
  void cluster.startInBackground(witness.id);
  return settle(cluster);
}

/** A node that was told that it forgot ends, and its supervisor starts it again. Then all agree. */
async function settle(cluster: SimCluster): Promise<readonly (readonly string[])[]> {
  await cluster.world.runFor(3000);
  for (const id of cluster.ids) {
    const isOver = cluster.members.get(id)?.events.some(({ kind }) => kind === "diskFailed") ?? false;
    if (!isOver) continue;
    cluster.crash(id);
    await cluster.start(id);
  }
  await cluster.elect();
  await cluster.settleApplied();
  return cluster.ids.map((id) => cluster.stateMachine(id).texts());
}

const seeds = 12;

async function lostSeeds(who: "follower" | "leader" | "leaderOfNewTerm"): Promise<number[]> {
  const lost: number[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const all = who === "leaderOfNewTerm" ? await forgetTerm(seed) : await forget(seed, who);
    const wanted = who === "leaderOfNewTerm" ? ["early", "late"] : complete;
    if (all.some((texts) => texts.join() !== wanted.join())) lost.push(seed);
  }
  return lost;
}

describe("a member with an old copy of its directory", () => {
  for (const who of ["follower", "leader"] as const) {
    it(`takes nothing back that was acknowledged, with all others there, although they were started anew (${who})`, async () => {
      expect(await lostSeeds(who)).toEqual([]);
    });
  }

  it("takes nothing back of a term that its only witness had just heard of when it was started anew", async () => {
    expect(await lostSeeds("leaderOfNewTerm")).toEqual([]);
  });

  for (const [bug, who] of [
    ["promisesForgotten", "follower"],
    ["leaderWordUnheard", "leader"],
    ["leaderTermUnheard", "leaderOfNewTerm"],
    ["newTermNotedLate", "leaderOfNewTerm"],
    ["votesUnvouched", "follower"],
  ] as const) {
    it(`would, with ${bug}`, async () => {
      const lost = await withPlanted(bug, () => lostSeeds(who));
      expect(lost).not.toEqual([]);
    });
  }
});
