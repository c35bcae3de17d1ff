import { create } from "@bufbuild/protobuf";
import { isHoldfastError, must } from "@holdfast/base";
import {
  CommitFileSchema,
  CreateUserSchema,
  GetFileLayoutRequestSchema,
  GrantChunksSchema,
  PurgeEntrySchema,
  QueryService,
  WrittenChunkSchema,
  type GetFileLayoutResponse,
} from "@holdfast/proto/master/v1/master";
import { expect, test } from "vitest";
import { FakeNode } from "../test/fake-node.ts";
import { SimMasters } from "../test/sim-masters.ts";

const nodeCount = 5;
const sha256 = new Uint8Array(32).fill(3);

/** Files, nodes and masters under random misfortune; what must be true is checked when everybody is back. */
class Story {
  readonly cluster: SimMasters;
  readonly nodes: FakeNode[];
  readonly living = new Set<FakeNode>();
  /** Entry -> chunk of the files that were acknowledged and not purged. */
  readonly files = new Map<bigint, number>();
  readonly purgedChunkIds = new Set<number>();
  /** Chunks whose commit was neither acknowledged nor refused for good. */
  readonly unclearChunkIds = new Set<number>();
  #owner = { userId: 0n, parentId: 0n };
  #nameCount = 0;

  constructor(seed: number) {
    this.cluster = new SimMasters({ seed });
    this.nodes = Array.from({ length: nodeCount }, (_, index) => new FakeNode(this.cluster, index + 1));
  }

  async begin(): Promise<void> {
    await this.cluster.startAll();
    await this.cluster.leader();
    for (const node of this.nodes) this.startNode(node);
    await this.cluster.world.runUntil(() => this.nodes.every((node) => node.nodeId > 0), 10_000);
    const value = create(CreateUserSchema, { email: "a@b.example", passwordHash: "$argon2id$x" });
    const { outcome } = await this.cluster.execute({ case: "createUser", value });
    this.#owner = { userId: outcome?.userId ?? 0n, parentId: outcome?.entryId ?? 0n };
  }

  async step(): Promise<void> {
    const { random } = this.cluster.world;
    const draw = random.fraction();
    const node = must(this.nodes[Math.floor(random.fraction() * nodeCount)], "an index of a node");
    if (draw < 0.5) await this.write();
    else if (draw < 0.65) await this.purge();
    else if (draw < 0.75 && this.living.size > 3) this.killNode(node);
    else if (draw < 0.85) this.returnNode(node);
    else if (draw < 0.9) this.damage(node);
    else if (draw < 0.95) await this.changeMasters();
    await this.cluster.world.runFor(Math.floor(random.fraction() * 2000));
  }

  startNode(node: FakeNode): void {
    this.living.add(node);
    node.start();
  }

  killNode(node: FakeNode): void {
    if (this.living.delete(node)) node.kill();
  }

  /** It may have lost a copy while it was away. */
  returnNode(node: FakeNode): void {
    if (this.living.has(node)) return;
    const lost = [...node.inventory.keys()].at(-1);
    if (lost !== undefined && this.cluster.world.random.fraction() < 0.7) node.inventory.delete(lost);
    this.startNode(node);
  }

  damage(node: FakeNode): void {
    const chunkId = [...node.inventory.keys()].at(-1);
    if (chunkId === undefined || !this.living.has(node)) return;
    const copy = must(node.inventory.get(chunkId), "a key of the inventory");
    node.inventory.delete(chunkId);
    node.reported.corrupt.push(copy);
  }

  async changeMasters(): Promise<void> {
    const down = this.cluster.ids.find((id) => !this.cluster.masters.has(id));
    if (down !== undefined) await this.cluster.start(down);
    else
      this.cluster.crash(
        (await this.cluster.leader(20_000)).id,
        this.cluster.world.random.fraction() < 0.5 ? "powerCut" : "process",
      );
  }

  async write(): Promise<void> {
    const value = create(GrantChunksSchema, { gateway: "g", count: 2 });
    const granted = await this.attempt(() => this.cluster.execute({ case: "grantChunks", value }));
    const chunk = granted?.outcome?.grant?.chunks[0];
    if (chunk === undefined) return;
    const chunkId = Number(chunk.chunkId);
    const places = chunk.places.map((place) => place.nodeId);
    const holders = this.nodes.filter((node) => this.living.has(node) && places.includes(node.nodeId));
    for (const node of holders) node.add({ chunkId, generation: 1, lengthBytes: 50 });
    const confirmedNodeIds = holders.slice(0, 2).map((node) => node.nodeId);
    if (confirmedNodeIds.length < 2) return;
    const facts = { chunkId: chunk.chunkId, generation: 1, lengthBytes: 50, sha256, nodeIds: places, confirmedNodeIds };
    const file = {
      ...this.#owner,
      name: `f${(this.#nameCount += 1)}`,
      sizeBytes: 50n,
      chunks: [create(WrittenChunkSchema, facts)],
    };
    this.unclearChunkIds.add(chunkId);
    const committed = await this.attempt(() =>
      this.cluster.execute({ case: "commitFile", value: create(CommitFileSchema, file) }),
    );
    if (committed === undefined) return;
    this.unclearChunkIds.delete(chunkId);
    this.files.set(committed.outcome?.entryId ?? 0n, chunkId);
  }

  async purge(): Promise<void> {
    const [entry] = this.files;
    if (entry === undefined) return;
    const [entryId, chunkId] = entry;
    this.files.delete(entryId);
    this.purgedChunkIds.add(chunkId);
    const value = create(PurgeEntrySchema, { entryId, userId: this.#owner.userId });
    await this.attempt(() => this.cluster.execute({ case: "purgeEntry", value }));
  }

  /** What the cluster may refuse while it suffers. */
  async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (isHoldfastError(error, "unavailable", "deadline", "noSpace", "tooBusy", "notLeader")) return undefined;
      throw error;
    }
  }

  /** Everybody is back, and time passes: every word is said and carried out. */
  async end(): Promise<void> {
    await this.cluster.startAll();
    for (const node of this.nodes) if (!this.living.has(node)) this.startNode(node);
    await this.cluster.leader(20_000);
    await this.cluster.world.runFor(60_000);
  }

  layout(entryId: bigint): Promise<GetFileLayoutResponse> {
    const request = create(GetFileLayoutRequestSchema, { entryId, userId: this.#owner.userId });
    return this.cluster.world.settle(
      this.cluster.caller.call(QueryService, (client, options) => client.getFileLayout(request, options)),
      20_000,
    );
  }
}

test.each([1, 2, 3, 4, 5, 6, 142, 154])(
  "seed %i: what the masters believe is what the nodes hold, and nothing needed was ever ordered away",
  async (seed) => {
    const story = new Story(seed);
    await story.begin();
    for (let step = 0; step < 60; step++) await story.step();
    await story.end();
    for (const [entryId, chunkId] of story.files) {
      const places = (await story.layout(entryId)).chunks[0]?.places.map((place) => place.nodeId) ?? [];
      const holders = story.nodes.filter((node) => node.inventory.has(chunkId)).map((node) => node.nodeId);
      expect(
        places.toSorted((a, b) => a - b),
        `chunk ${chunkId}`,
      ).toEqual(holders.toSorted((a, b) => a - b));
    }
    const needed = new Set(story.files.values());
    for (const node of story.nodes) {
      expect(
        node.trimmedIds.filter((chunkId) => needed.has(chunkId)),
        node.name,
      ).toEqual([]);
      const leftover = [...node.inventory.keys()].filter((chunkId) => story.purgedChunkIds.has(chunkId));
      expect(
        leftover.filter((chunkId) => !story.unclearChunkIds.has(chunkId)),
        node.name,
      ).toEqual([]);
    }
    expect(await story.cluster.settled()).toBe(true);
    const hashes = [...story.cluster.masters.values()].map(({ master }) =>
      Buffer.from(master.foldedState().stateHash).toString("hex"),
    );
    expect(new Set(hashes).size).toBe(1);
    expect(story.files.size).toBeGreaterThan(3);
    expect(story.cluster.log.records.filter((record) => record.level === "error")).toEqual([]);
  },
);
