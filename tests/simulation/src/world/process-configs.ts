import { type ChunkserverConfig, chunkserverDefaults, type ChunkserverPorts } from "@holdfast/chunkserver";
import {
  createMemoryPasswordHasher,
  defaultGatewayConfig,
  type GatewayConfig,
  type GatewayPorts,
} from "@holdfast/gateway";
import { type MasterConfig, type MasterPorts, presets } from "@holdfast/master";
import { createMetrics, silentLogger } from "@holdfast/observability";
import type { HostPorts } from "./simulated-host.ts";
import type { WorldShape } from "./world-shape.ts";

const clusterId = "5".repeat(32);

/** Copies of a chunk, and how many of them must be durable before anything is acknowledged. */
export const copies = { wanted: 3, durableMin: 2 } as const;

/** The account of all simulated clients. */
export const simulatedUser = { email: "sim@example.org", password: "simulated password" } as const;

/** Nodes that go within so many ms go together, and automatic repair stops. */
export const copiesVanishedWindowMs = 3_000;

/** How long a gateway may go on believing in a session that ended, in ms. */
export const sessionStaleMsMax = 4_000;

const quietPorts = ({ process, network }: HostPorts) => ({
  clock: process.clock,
  timers: process.timers,
  random: process.random,
  disk: process.disk,
  network,
  logger: silentLogger,
  metrics: createMetrics(),
});

const addressesOf = (shape: WorldShape): readonly string[] =>
  Array.from({ length: shape.masterCount }, (_, index) => `master-${index + 1}:7000`);

/**
 * Housekeeping runs at the demo preset's pace divided by two to five: what is waited for in a simulated world costs as
 * much as what happens in it.
 */
export function masterOf(id: number, shape: WorldShape, ports: HostPorts): [MasterConfig, MasterPorts] {
  const { demo } = presets;
  const config: MasterConfig = {
    id,
    name: `master-${id}`,
    listen: `master-${id}:7000`,
    peers: addressesOf(shape).map((address, index) => ({ id: index + 1, address })),
    data: "/data",
    clusterId,
    replication: copies.wanted,
    writeCopiesMin: copies.durableMin,
    chunkSizeBytes: shape.chunkSizeBytes,
    preset: "demo",
    // The same times as by default, in fewer ticks.
    // A short log, so that masters that were away or lost their disk are sent snapshots.
    raft: {
      ...{ tickMs: 50, heartbeatTicks: 3, electionTicksMin: 6 },
      ...{ retainedEntriesMin: 30, laggingEntriesMax: 60, compactionCheckMs: 500, segmentBytesMax: 65_536 },
    },
    presetChanges: {
      liveness: { suspectAfterMs: 2_000, deadAfterMs: 4_000 },
      garbageIntervalMs: 500,
      repair: {
        ...demo.repair,
        ...{ delayMs: 1_500, extraGraceMs: 2_000, resendAfterMs: 1_500, giveUpAfterMs: 6_000 },
        vanishedWindowMs: copiesVanishedWindowMs,
      },
    },
    diskReserveBytes: 1 << 20,
  };
  return [config, { ...quietPorts(ports), openStore: (path) => ports.process.openStore(path) }];
}

/** A chunkserver. Its scrub begins at once and goes round within a second, so that rot is found while the world lasts. */
export function chunkserverOf(id: number, shape: WorldShape, ports: HostPorts): [ChunkserverConfig, ChunkserverPorts] {
  const config: ChunkserverConfig = {
    ...chunkserverDefaults,
    store: { ...chunkserverDefaults.store, spaceCheckIntervalMs: 1_000 },
    scrub: {
      ...chunkserverDefaults.scrub,
      ...{ againAfterMs: 2_500, idleMs: 500, bytesPerSecondMin: 64 << 20, saveIntervalMs: 1_000 },
    },
    name: nodeNameOf(`node-${id}`, ports.process.machine.wipeCount),
    listenAddress: `node-${id}:7000`,
    advertisedAddress: `node-${id}:7000`,
    masterAddresses: addressesOf(shape),
    dataDirectory: "/data",
    expectedClusterId: clusterId,
    zone: "",
  };
  const mac = `02:00:00:00:00:0${id}`;
  return [config, { ...quietPorts(ports), hostIdentity: () => ({ ip: `10.0.0.${id}`, mac }) }];
}

/** A node with an empty disk is another node and needs another name. */
function nodeNameOf(machine: string, wipeCount: number): string {
  return wipeCount === 0 ? machine : `${machine}.${wipeCount}`;
}

/** The machine that a node of this name runs on. */
export function machineOfNode(nodeName: string): string {
  return nodeName.split(".")[0] ?? nodeName;
}

/** A gateway. */
export function gatewayOf(id: number, shape: WorldShape, ports: HostPorts): [GatewayConfig, GatewayPorts] {
  const config: GatewayConfig = {
    ...defaultGatewayConfig,
    name: `gateway-${id}`,
    masterAddresses: addressesOf(shape),
    clusterId,
    partSizeBytes: 2 * shape.chunkSizeBytes,
    segmentBytes: 4 * shape.chunkSizeBytes,
    firstAccounts: { defaultUser: simulatedUser, imported: [] },
    sessionCache: { ...defaultGatewayConfig.sessionCache, freshMsMax: 1_500, staleMsMax: sessionStaleMsMax },
  };
  const setupLink = { publish: async () => undefined, withdraw: async () => undefined };
  return [config, { ...quietPorts(ports), passwordHasher: createMemoryPasswordHasher(), setupLink }];
}
