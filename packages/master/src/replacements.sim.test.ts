import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { IssueJoinTokenSchema } from "@holdfast/proto/fleet/v1/fleet";
import type { Node } from "@holdfast/proto/model/v1/model";
import { describe, expect, test } from "vitest";
import { FakeNode } from "../test/fake-node.ts";
import { SimFleet } from "../test/sim-fleet.ts";

const token = "the newcomer's";

/** Five nodes with some files; the first of them is to be replaced. */
class Story {
  readonly fleet: SimFleet;
  readonly newcomer: FakeNode;
  #before = new Map<FakeNode, number>();

  constructor(seed: number) {
    this.fleet = new SimFleet(seed, { joinSecret: "" });
    this.newcomer = new FakeNode(this.fleet.cluster, 9);
  }

  get old(): FakeNode {
    return this.fleet.node(1);
  }

  get others(): readonly FakeNode[] {
    return this.fleet.nodes.filter((node) => node !== this.old && node !== this.newcomer);
  }

  async begin(): Promise<void> {
    const { fleet } = this;
    await fleet.start(0);
    for (let number = 1; number <= 5; number++) await this.#join(new FakeNode(fleet.cluster, number), `${number}`, 0);
    await fleet.store(20);
    // What balancing wants has come to rest.
    await fleet.cluster.world.runFor(30_000);
    this.#before = new Map(fleet.nodes.map((node) => [node, node.inventory.size]));
    expect(this.before(this.old)).toBeGreaterThan(5);
  }

  before(node: FakeNode): number {
    return this.#before.get(node) ?? 0;
  }

  async replace(): Promise<void> {
    await this.#join(this.newcomer, token, this.old.nodeId);
  }

  async nodeNow(nodeId: number): Promise<Node | undefined> {
    return (await this.fleet.cluster.status()).nodes.find((node) => node.nodeId === nodeId);
  }

  /** Everything that the old one held is on the newcomer, and nothing else moved. */
  isTakenOver(): boolean {
    const isSame = this.others.every((node) => node.inventory.size === this.before(node));
    return isSame && this.newcomer.inventory.size === this.before(this.old);
  }

  async #join(node: FakeNode, secret: string, replacesNodeId: number): Promise<void> {
    const { fleet } = this;
    const tokenSha256 = createHash("sha256").update(secret).digest();
    const value = create(IssueJoinTokenSchema, { tokenSha256, lifetimeMs: 600_000n, replacesNodeId });
    await fleet.order({ case: "issueJoinToken", value });
    node.joinCredential = secret;
    fleet.nodes.push(node);
    for (const one of fleet.nodes) one.peers = fleet.nodes;
    node.start();
    expect(await fleet.cluster.world.runUntil(() => node.nodeId > 0, 10_000)).toBe(true);
  }
}

async function crashLeader({ cluster }: SimFleet): Promise<void> {
  const { id } = await cluster.leader();
  cluster.crash(id);
  await cluster.start(id);
  await cluster.leader(20_000);
}

describe("replacing a node", () => {
  test("a live one hands its copies to the newcomer, is removed, told why, and never comes back", async () => {
    const story = new Story(1);
    const { fleet, newcomer } = story;
    await story.begin();
    const oldId = story.old.nodeId;
    await story.replace();
    expect(await story.nodeNow(newcomer.nodeId)).toMatchObject({ name: "node-1", rack: "r1" });
    expect((await fleet.fleet()).tasks).toMatchObject([
      { nodeId: oldId, kind: "drain", reason: "replaced by node-1", replacedByNodeId: newcomer.nodeId },
    ]);
    expect((await fleet.fleet()).joinTokens.at(-1)).toMatchObject({ replacesNodeId: oldId });
    expect(await fleet.until(() => story.old.refusal !== undefined)).toBe(true);
    expect(story.old.refusal).toContain(`node-1.old was replaced by node-1 (node ${newcomer.nodeId})`);
    expect(fleet.copiesMin).toBe(3);
    expect(story.isTakenOver()).toBe(true);
    expect(await story.nodeNow(oldId)).toBeUndefined();
    await fleet.cluster.world.runFor(60_000);
    expect(story.isTakenOver()).toBe(true);
    expect(story.old.refusal).toContain("can never come back");
  });

  test("a dead one is repaired onto the newcomer at once, over a change of leader, and stays out", async () => {
    const story = new Story(2);
    const { fleet, newcomer } = story;
    await story.begin();
    const oldId = story.old.nodeId;
    story.old.kill();
    await fleet.cluster.world.runFor(11_000);
    newcomer.fetchMs = 3000;
    await story.replace();
    expect(await fleet.until(() => newcomer.inventory.size >= 3)).toBe(true);
    await crashLeader(fleet);
    expect(await fleet.until(() => story.isTakenOver())).toBe(true);
    await fleet.cluster.world.runFor(5000);
    expect(await story.nodeNow(oldId)).toBeUndefined();
    story.old.start();
    expect(await fleet.cluster.world.runUntil(() => story.old.refusal !== undefined, 10_000)).toBe(true);
    expect(story.old.refusal).toContain("was replaced by node-1");
  });

  test("one that dies while it is being replaced is repaired from the others; one that returns meanwhile helps", async () => {
    const story = new Story(3);
    const { fleet, newcomer } = story;
    await story.begin();
    const oldId = story.old.nodeId;
    newcomer.fetchMs = 2000;
    await story.replace();
    expect(await fleet.until(() => newcomer.inventory.size >= 2)).toBe(true);
    story.old.kill();
    await fleet.cluster.world.runFor(12_000);
    story.old.start();
    await fleet.cluster.world.runFor(1000);
    expect(await fleet.until(() => story.isTakenOver())).toBe(true);
    expect(await fleet.until(() => story.old.refusal !== undefined)).toBe(true);
    expect(await story.nodeNow(oldId)).toBeUndefined();
  });
});
