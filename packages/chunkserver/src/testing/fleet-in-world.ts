import { createMetrics, silentLogger } from "@holdfast/observability";
import { ChunkDataService } from "@holdfast/proto/chunk/v1/chunk";
import type { Network } from "@holdfast/rpc";
import { createSimNetwork } from "@holdfast/rpc/sim";
import type { SimNetwork } from "@holdfast/rpc/sim";
import { createSimWorld } from "@holdfast/runtime/sim";
import type { SimProcess, SimWorld } from "@holdfast/runtime/sim";
import { chunkserverDefaults } from "../config.ts";
import type { ChunkserverConfig } from "../config.ts";
import type { ChunkserverPorts } from "../ports.ts";
import { buildChunkserver } from "../server.ts";
import type { Chunkserver } from "../server.ts";
import { chunkFrames } from "./chunk-frames.ts";
import type { FramedChunk } from "./chunk-frames.ts";
import { FakeLeader } from "./fake-leader.ts";

/** One node of a simulated fleet. */
export interface NodeInWorld {
  readonly name: string;
  readonly address: string;
  readonly process: SimProcess;
  readonly chunkserver: Chunkserver;
}

/** Chunkservers under a fake leader in a simulated world, and a client beside them. */
export class FleetInWorld {
  readonly world: SimWorld;
  readonly hub: SimNetwork;
  readonly leader = new FakeLeader();
  readonly client: Network;

  constructor(seed: number | string) {
    this.world = createSimWorld(seed);
    this.hub = createSimNetwork(this.world);
    this.client = this.hub.forProcess(this.world.machine("client").startProcess());
  }

  /** Starts the leader at "master-1:6000". */
  async startLeader(): Promise<void> {
    await this.leader.listen(this.hub.forProcess(this.world.machine("master-1").startProcess()), "master-1:6000");
  }

  /** Starts a node on the machine of its name; again after a crash. */
  async startNode(
    name: string,
    changes: Partial<ChunkserverConfig> = {},
    morePorts: Partial<ChunkserverPorts> = {},
  ): Promise<NodeInWorld> {
    const process = this.world.machine(name).startProcess();
    const config = {
      ...chunkserverDefaults,
      ...{ name, listenAddress: `${name}:7000`, masterAddresses: ["master-1:6000"], dataDirectory: "/data" },
      ...changes,
    };
    const { clock, timers, random, disk } = process;
    const ports = {
      clock,
      timers,
      random,
      disk,
      network: this.hub.forProcess(process),
      logger: silentLogger,
      metrics: createMetrics(),
    };
    const chunkserver = await buildChunkserver(config, {
      ...ports,
      ...morePorts,
      hostIdentity: () => ({ ip: "10.0.0.1", mac: "02:00:00:00:00:01" }),
    });
    return { name, address: `${name}:7000`, process, chunkserver };
  }

  /** Starts nodes and waits until they joined: node-1 has id 1 and so on. */
  async startNodes(count: number, changes: Partial<ChunkserverConfig> = {}): Promise<NodeInWorld[]> {
    const nodes: NodeInWorld[] = [];
    for (let index = 1; index <= count; index++) {
      const node = await this.startNode(`node-${index}`, changes);
      await this.until(() => node.chunkserver.readiness().isReady);
      nodes.push(node);
    }
    return nodes;
  }

  /** Waits in virtual time. */
  async until(condition: () => boolean, limitMs = 60_000): Promise<void> {
    const { timers, clock } = this.#watcher();
    const endMs = clock.monotonicMs() + limitMs;
    while (!condition()) {
      if (clock.monotonicMs() > endMs) throw new Error(`the condition did not hold within ${limitMs} ms`);
      await timers.sleep(1);
    }
  }

  sleep(delayMs: number): Promise<void> {
    return this.#watcher().timers.sleep(delayMs);
  }

  #watcher(): SimProcess {
    return this.world.machine("watcher").processes()[0] ?? this.world.machine("watcher").startProcess();
  }
}

/** Runs a body with a leader and so many nodes in a fresh world. */
export async function inFleet(
  nodeCount: number,
  body: (fleet: FleetInWorld, nodes: readonly NodeInWorld[]) => Promise<void>,
  changes: Partial<ChunkserverConfig> = {},
): Promise<void> {
  const fleet = new FleetInWorld(11);
  const run = async (): Promise<void> => {
    await fleet.startLeader();
    await body(fleet, await fleet.startNodes(nodeCount, changes));
  };
  await fleet.world.settle(run(), 600_000);
}

/** What a test writes, and where to. */
export interface SentChunk extends Omit<FramedChunk, "forward"> {
  /** The first takes the write; the others are forwarded to in this order. */
  readonly nodes: readonly NodeInWorld[];
}

/** Writes and gives the acknowledgements in order of arrival: "1 durable", "2 tooBusy"-like with wire numbers. */
export async function sendChunk(
  client: Network,
  sent: SentChunk,
  onAck: (ack: string) => void = () => undefined,
): Promise<string[]> {
  const acks: string[] = [];
  const forward = sent.nodes
    .slice(1)
    .map(({ chunkserver, address }) => ({ nodeId: chunkserver.node().nodeId, address }));
  const call = client
    .client(ChunkDataService, sent.nodes[0]?.address ?? "")
    .writeChunk(chunkFrames({ ...sent, forward }));
  for await (const { nodeId, isDurable, errorKind } of call) {
    const ack = `${nodeId} ${isDurable ? "durable" : errorKind}`;
    acks.push(ack);
    onAck(ack);
  }
  return acks;
}
