import { must } from "@holdfast/base";
import { expect, test } from "vitest";
import { SimCluster } from "../../../test/sim-cluster.ts";

test.each(["follower", "leader"] as const)(
  "a %s that sets itself aside ends, joins anew, and has a vote and the others' state again",
  async (who) => {
    const cluster = new SimCluster({ seed: `set aside ${who}`, pieceEntries: 10, settings: { snapshotRetryMs: 50 } });
    await cluster.startAll();
    const leader = await cluster.elect();
    for (let number = 0; number < 20; number++) await cluster.propose(leader, `early ${number}`);
    const id = must(
      cluster.ids.find((each) => (each === leader.id) === (who === "leader")),
      "a group of three has both",
    );
    const member = must(cluster.members.get(id), "it runs");
    await cluster.world.settle(member.node.setAside("its tables are wrong"), 5000);
    expect(member.events).toContainEqual(expect.objectContaining({ kind: "diskFailed" }));
    await cluster.world.settle(member.node.setAside("again"), 5000);
    expect(await member.node.propose(new Uint8Array(1))).toMatchObject({ kind: "notLeader" });
    cluster.crash(id);
    // Whatever it had, it does not count.
    cluster.stateMachine(id).replace([], cluster.stateMachine(id).appliedIndex());
    const next = await cluster.elect();
    expect(next.id).not.toBe(id);
    await cluster.propose(next, "meanwhile");
    await cluster.start(id);
    const isBack = (): boolean => {
      const status = cluster.leader()?.node.status();
      return status?.voters.length === 3 && status.learners.length === 0 && cluster.members.get(id) !== undefined;
    };
    await cluster.world.runFor(2000);
    expect(await cluster.world.runUntil(isBack, 20_000)).toBe(true);
    await cluster.propose(await cluster.elect(), "late");
    await cluster.settleApplied();
    const texts = cluster.ids.map((each) => cluster.stateMachine(each).texts().join());
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toContain("early 19,meanwhile,late");
  },
);
