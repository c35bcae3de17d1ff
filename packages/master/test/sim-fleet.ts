import { create } from "@bufbuild/protobuf";
import { must } from "@holdfast/base";
import {
  FleetCommandSchema,
  FleetQueryService,
  GetFleetRequestSchema,
  type FleetCommand,
  type GetFleetResponse,
} from "@holdfast/proto/fleet/v1/fleet";
import { CommitFileSchema, WrittenChunkSchema } from "@holdfast/proto/master/v1/master";
import { FakeNode } from "./fake-node.ts";
import { grant, userOf } from "./sim-files.ts";
import { SimMasters } from "./sim-masters.ts";
import type { MasterConfig } from "../src/index.ts";

const sha256 = new Uint8Array(32).fill(5);

/** Bytes of every chunk in a `SimFleet`. */
export const simChunkBytes = 4 << 20;

/** Masters and nodes that fetch from each other, with files, for stories about where copies are. */
export class SimFleet {
  readonly cluster: SimMasters;
  readonly nodes: FakeNode[] = [];
  readonly chunkIds: number[] = [];
  /** The fewest copies that any stored chunk ever had on nodes that run, seen every 50 ms. */
  copiesMin = 9;
  #user: { userId: bigint; parentId: bigint } | undefined;
  #nameCount = 0;

  constructor(seed: number, changes: Partial<MasterConfig> = {}) {
    this.cluster = new SimMasters({ seed, changes });
  }

  async start(nodeCount: number, zones: readonly string[] = []): Promise<void> {
    await this.cluster.startAll();
    await this.cluster.leader();
    for (let number = 1; number <= nodeCount; number++) this.#create(zones[number - 1] ?? "");
    await this.#joined();
  }

  async addNode(zone = ""): Promise<FakeNode> {
    const node = this.#create(zone);
    await this.#joined();
    return node;
  }

  node(number: number): FakeNode {
    return must(this.nodes[number - 1], "a node of the fleet");
  }

  /** Files of one chunk each, with a copy on every place. */
  async store(count: number): Promise<void> {
    this.#user ??= await userOf(this.cluster);
    for (let index = 0; index < count; index++) {
      const granted = must((await grant(this.cluster)).chunks[0], "a grant of one chunk has one");
      const nodeIds = granted.places.map((place) => place.nodeId);
      const chunkId = Number(granted.chunkId);
      for (const node of this.nodes)
        if (nodeIds.includes(node.nodeId)) node.add({ chunkId, generation: 1, lengthBytes: simChunkBytes });
      const facts = { chunkId: granted.chunkId, generation: 1, lengthBytes: simChunkBytes, sha256, nodeIds };
      const chunk = create(WrittenChunkSchema, { ...facts, confirmedNodeIds: nodeIds });
      const file = { ...this.#user, name: `file-${++this.#nameCount}`, sizeBytes: BigInt(simChunkBytes), sha256 };
      const value = create(CommitFileSchema, { ...file, chunks: [chunk] });
      await this.cluster.execute({ case: "commitFile", value });
      this.chunkIds.push(chunkId);
    }
  }

  async order(command: FleetCommand["command"]): Promise<void> {
    await this.cluster.execute({ case: "fleet", value: create(FleetCommandSchema, { command }) });
  }

  fleet(): Promise<GetFleetResponse> {
    const request = create(GetFleetRequestSchema);
    const answer = this.cluster.caller.call(FleetQueryService, (client, options) => client.getFleet(request, options));
    return this.cluster.world.settle(answer, 25_000);
  }

  /** Copies of a chunk on nodes that run. */
  copiesOf(chunkId: number): number {
    return this.nodes.filter((node) => node.isAlive && node.inventory.has(chunkId)).length;
  }

  /** Lets time pass until something is true of the nodes, watching every chunk's copies; false when it does not become so. */
  async until(isTrue: () => boolean, limitMs = 60_000): Promise<boolean> {
    for (let passedMs = 0; passedMs < limitMs; passedMs += 50) {
      for (const chunkId of this.chunkIds) this.copiesMin = Math.min(this.copiesMin, this.copiesOf(chunkId));
      if (isTrue()) return true;
      await this.cluster.world.runFor(50);
    }
    return false;
  }

  #create(zone: string): FakeNode {
    const node = new FakeNode(this.cluster, this.nodes.length + 1);
    node.zone = zone;
    this.nodes.push(node);
    for (const one of this.nodes) one.peers = this.nodes;
    node.start();
    return node;
  }

  async #joined(): Promise<void> {
    const areIn = (): boolean => this.nodes.every((node) => node.nodeId > 0 || !node.isAlive);
    if (!(await this.cluster.world.runUntil(areIn, 10_000))) throw new Error("a node was not let in");
  }
}
