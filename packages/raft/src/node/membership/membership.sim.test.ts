import { describe, expect, it } from "vitest";
import type { MembershipWish } from "../../api.ts";
import type { PeerId } from "../../core/types.ts";
import { SimCluster, type SimMember } from "../../../test/sim-cluster.ts";

const settings = { retainedEntriesMin: 20, laggingEntriesMax: 40, compactionCheckMs: 100, snapshotRetryMs: 50 };

/** A group that serves: somebody proposes all the time, wherever the leader is. */
class ServingCluster extends SimCluster {
  readonly applied: string[] = [];
  #isOver = false;
  #count = 0;

  async begin(): Promise<SimMember> {
    await this.startAll();
    const leader = await this.elect();
    void this.#serve();
    return leader;
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.world.runFor(500);
  }

  /** Asks whoever leads until it is done. */
  async change(...wishes: MembershipWish[]): Promise<void> {
    for (;;) {
      const leader = await this.elect();
      const refusal = await this.world.settle(
        leader.node.changeMembership(wishes).then(
          () => undefined,
          (error: unknown) => (error instanceof Error ? error : new Error("no error")),
        ),
        10_000,
      );
      if (refusal === undefined) return;
      if (!refusal.message.includes("under way")) throw refusal;
      await this.world.runFor(50);
    }
  }

  async untilVoters(...ids: number[]): Promise<void> {
    const isSo = (): boolean => {
      const status = this.leader()?.node.status();
      return status?.voters.join() === ids.join() && status.learners.length === 0;
    };
    if (!(await this.world.runUntil(isSo, 20_000)))
      throw new Error(`voters are ${JSON.stringify(this.leader()?.node.status())}, not ${ids.join()}`);
  }

  async #serve(): Promise<void> {
    while (!this.#isOver) {
      const leader = this.leader();
      if (leader === undefined) {
        await new Promise<void>((resolve) => this.world.scheduler.schedule(20, "serve", resolve));
        continue;
      }
      const text = `${this.#count++}`;
      const outcome = await leader.node.propose(new TextEncoder().encode(text));
      if (outcome.kind === "applied") this.applied.push(text);
      await new Promise<void>((resolve) => this.world.scheduler.schedule(5, "serve", resolve));
    }
  }
}

const voter = (cluster: SimCluster, id: number): MembershipWish => ({ kind: "addVoter", peer: cluster.peer(id) });

describe("membership of a group that serves", () => {
  it("grows from three to five and shrinks to three others", async () => {
    const cluster = new ServingCluster({ seed: 51, settings, pieceEntries: 10 });
    await cluster.begin();
    await cluster.world.runFor(2000);
    for (const id of [4, 5]) {
      await cluster.start(id as PeerId);
      await cluster.change(voter(cluster, id));
    }
    await cluster.untilVoters(1, 2, 3, 4, 5);
    for (const id of [1, 2] as PeerId[]) await cluster.change({ kind: "remove", id });
    await cluster.untilVoters(3, 4, 5);
    for (const id of [1, 2] as PeerId[]) cluster.crash(id);
    await cluster.world.runFor(3000);
    await cluster.end();
    expect(await cluster.settleApplied()).toBe(true);
    for (const id of [3, 4, 5] as PeerId[]) {
      const texts = cluster.stateMachine(id).texts();
      for (const text of cluster.applied) expect(texts).toContain(text);
      expect(new Set(texts).size).toBe(texts.length);
    }
    expect(cluster.applied.length).toBeGreaterThan(300);
  });

  it("several changes at once go through a joint configuration", async () => {
    const cluster = new ServingCluster({ seed: 52, settings, pieceEntries: 10 });
    const leader = await cluster.begin();
    for (const id of [4, 5]) await cluster.start(id as PeerId);
    for (const id of [4, 5]) await cluster.change({ kind: "addLearner", peer: cluster.peer(id) });
    expect(leader.node.status()).toMatchObject({ voters: [1, 2, 3], learners: [4, 5] });
    const isThere = (): boolean => [4, 5].every((id) => cluster.stateMachine(id as PeerId).entries.length > 50);
    expect(await cluster.world.runUntil(isThere, 10_000)).toBe(true);
    await cluster.change({ kind: "promote", id: 4 as PeerId }, { kind: "promote", id: 5 as PeerId });
    await cluster.untilVoters(1, 2, 3, 4, 5);
    await cluster.change({ kind: "demote", id: 4 as PeerId }, { kind: "remove", id: 5 as PeerId });
    const isLearner = (): boolean => cluster.leader()?.node.status().learners.join() === "4";
    expect(await cluster.world.runUntil(isLearner, 5000)).toBe(true);
    expect(cluster.leader()?.node.status().voters).toEqual([1, 2, 3]);
    await cluster.end();
  });

  it("a member is replaced by another one, which gets the vote at the moment the old one loses it", async () => {
    const cluster = new ServingCluster({ seed: 53, settings, pieceEntries: 10 });
    const leader = await cluster.begin();
    await cluster.world.runFor(1000);
    const old = cluster.ids.find((id) => id !== leader.id) ?? (0 as PeerId);
    cluster.crash(old);
    await cluster.start(4 as PeerId);
    const seen = new Set<string>();
    leader.node.subscribe((event) => {
      if (event.kind === "membershipChanged") seen.add(event.voters.join());
    });
    await cluster.change({ kind: "replace", remove: old, peer: cluster.peer(4) });
    const rest = cluster.ids.filter((id) => id !== old);
    await cluster.untilVoters(...rest, 4);
    await cluster.end();
    expect([...seen]).toEqual([cluster.ids.join(), [...rest, 4].join()]);
    expect(await cluster.settleApplied()).toBe(true);
  });

  it("who was away while all the others changed hears the new leader, of which it knows nothing, and catches up", async () => {
    for (const laggingEntriesMax of [10_000, 40]) {
      const cluster = new ServingCluster({ seed: 56, settings: { ...settings, laggingEntriesMax }, pieceEntries: 10 });
      await cluster.begin();
      await cluster.world.runFor(500);
      const away = 3 as PeerId;
      cluster.crash(away);
      for (const id of [4, 5]) {
        await cluster.start(id as PeerId);
        await cluster.change(voter(cluster, id));
      }
      await cluster.untilVoters(1, 2, 3, 4, 5);
      for (const id of [1, 2]) await cluster.change({ kind: "remove", id: id as PeerId });
      await cluster.untilVoters(3, 4, 5);
      for (const id of [1, 2] as PeerId[]) cluster.crash(id);
      await cluster.elect();
      // Its own configuration still names the founders alone.
      await cluster.start(away);
      await cluster.world.runFor(3000);
      await cluster.end();
      expect(await cluster.settleApplied()).toBe(true);
      expect(cluster.members.get(away)?.node.status().voters).toEqual([3, 4, 5]);
      const texts = cluster.stateMachine(away).texts();
      for (const text of cluster.applied) expect(texts).toContain(text);
    }
  });

  it("who knows only that a member was removed hears it when it is back and leads", async () => {
    const cluster = new ServingCluster({
      seed: 55,
      settings: { ...settings, laggingEntriesMax: 10_000 },
      pieceEntries: 10,
    });
    await cluster.begin();
    for (const id of [4, 5]) {
      await cluster.start(id as PeerId);
      await cluster.change(voter(cluster, id));
    }
    await cluster.untilVoters(1, 2, 3, 4, 5);
    const leader = cluster.leader();
    const [back, away] = cluster.ids.filter((id) => id !== leader?.id);
    if (back === undefined || away === undefined) throw new Error("two founders do not lead");
    await cluster.change({ kind: "remove", id: back });
    const knows = (): boolean => cluster.members.get(away)?.node.status().voters.includes(back) === false;
    expect(await cluster.world.runUntil(knows, 5000)).toBe(true);
    cluster.crash(away);
    await cluster.change(voter(cluster, back));
    await cluster.untilVoters(1, 2, 3, 4, 5);
    const isIn = (): boolean => cluster.members.get(back)?.node.status().voters.includes(back) === true;
    expect(await cluster.world.runUntil(isIn, 5000)).toBe(true);
    await cluster.world.settle(cluster.leader()?.node.transferLeadership(back) ?? Promise.resolve(), 10_000);
    expect(await cluster.world.runUntil(() => cluster.leader()?.id === back, 5000)).toBe(true);
    const member = await cluster.start(away);
    expect(await cluster.world.runUntil(() => member.node.status().voters.length === 5, 5000)).toBe(true);
    expect(cluster.leader()?.id).toBe(back);
    await cluster.end();
  });

  it("a leader that is removed steps down, and the others go on", async () => {
    const cluster = new ServingCluster({ seed: 54, settings, pieceEntries: 10 });
    const leader = await cluster.begin();
    await cluster.change({ kind: "remove", id: leader.id });
    expect(await cluster.world.runUntil(() => leader.node.status().role !== "leader", 2000)).toBe(true);
    const next = await cluster.elect();
    expect(next.id).not.toBe(leader.id);
    const before = cluster.applied.length;
    await cluster.world.runFor(1000);
    expect(cluster.applied.length).toBeGreaterThan(before + 50);
    await cluster.end();
  });

  it("refuses what does not fit, in words, and changes nothing", async () => {
    const cluster = new ServingCluster({ seed: 55, settings, pieceEntries: 10 });
    const leader = await cluster.begin();
    const refusalOf = (...wishes: MembershipWish[]): Promise<unknown> =>
      cluster.world.settle(
        leader.node.changeMembership(wishes).catch((error: unknown) => error),
        5000,
      );
    expect(await refusalOf()).toMatchObject({ kind: "precondition" });
    expect(await refusalOf({ kind: "remove", id: 9 as PeerId })).toMatchObject({ kind: "precondition" });
    expect(await refusalOf({ kind: "promote", id: 1 as PeerId })).toMatchObject({
      message: expect.stringContaining("already"),
    });
    expect(await refusalOf(voter(cluster, 2))).toMatchObject({ kind: "precondition" });
    const all = cluster.ids.map((id): MembershipWish => ({ kind: "remove", id }));
    expect(await refusalOf(...all)).toMatchObject({ message: expect.stringContaining("removed all voters") });
    const follower = [...cluster.members.values()].find(({ id }) => id !== leader.id);
    const elsewhere = await cluster.world.settle(
      follower?.node.changeMembership([{ kind: "remove", id: 1 as PeerId }]).catch((error: unknown) => error) ??
        Promise.resolve(undefined),
      5000,
    );
    expect(elsewhere).toMatchObject({ kind: "notLeader" });
    expect(leader.node.status().voters).toEqual([1, 2, 3]);
    await cluster.end();
  });
});

describe("hand-over", () => {
  it("fails no proposal: what was accepted is applied, what comes meanwhile is told who leads", async () => {
    const cluster = new SimCluster({ seed: 61 });
    await cluster.startAll();
    for (let round = 0; round < 10; round++) {
      const old = await cluster.elect();
      const outcomes: Promise<{ kind: string }>[] = [];
      const propose = (): void => {
        for (let count = 0; count < 20; count++)
          outcomes.push(old.node.propose(new TextEncoder().encode(`${round} ${outcomes.length}`)));
      };
      propose();
      const handedOver = old.node.transferLeadership();
      propose();
      for (let step = 0; step < 5; step++) {
        await cluster.world.runFor(1);
        propose();
      }
      await cluster.world.settle(handedOver, 5000);
      const kinds = (await cluster.world.settle(Promise.all(outcomes), 5000)).map(({ kind }) => kind);
      expect(new Set(kinds)).toEqual(new Set(["applied", "notLeader"]));
      expect(kinds.slice(0, 20).every((kind) => kind === "applied")).toBe(true);
      expect((await cluster.elect()).id).not.toBe(old.id);
    }
  });

  it("to a chosen member; one that has no vote is refused, one that is away leaves the leader in its place", async () => {
    const cluster = new SimCluster({ seed: 62 });
    await cluster.startAll();
    const leader = await cluster.elect();
    const [target = 0 as PeerId, away = 0 as PeerId] = cluster.ids.filter((id) => id !== leader.id);
    const refusal = (to: PeerId): Promise<unknown> =>
      cluster.world.settle(
        leader.node.transferLeadership(to).catch((error: unknown) => error),
        5000,
      );
    expect(await refusal(9 as PeerId)).toMatchObject({ kind: "precondition" });
    cluster.crash(away);
    expect(await refusal(away)).toMatchObject({ kind: "unavailable" });
    expect(leader.node.status().role).toBe("leader");
    expect(await cluster.propose(leader, "still")).toMatchObject({ kind: "applied" });
    await cluster.world.settle(leader.node.transferLeadership(target), 5000);
    expect((await cluster.elect()).id).toBe(target);
    expect(await refusal(target)).toMatchObject({ kind: "notLeader" });
  });
});
