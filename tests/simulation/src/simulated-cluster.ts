import { toHex } from "@holdfast/base";
import { buildChunkserver, type Chunkserver, chunkserverDefaults } from "@holdfast/chunkserver";
import {
  buildGateway,
  createMemoryPasswordHasher,
  defaultGatewayConfig,
  type Drive,
  type Gateway,
} from "@holdfast/gateway";
import { buildMaster, type Master } from "@holdfast/master";
import { createMetrics, silentLogger } from "@holdfast/observability";
import { createSimNetwork, type SimNetwork } from "@holdfast/rpc/sim";
import type { SimWorld } from "@holdfast/runtime/sim";
import type { MasterView } from "./checkers/raft-checker.ts";
import type { FaultTargets } from "./fault-plan.ts";
import { type HostPorts, type Running, SimulatedHost } from "./simulated-host.ts";

const clusterId = "5".repeat(32);
const chunkSizeBytes = 64 * 1024;
const masterCount = 3;
const nodeCount = 4;

/** The account of all simulated clients. */
export const simulatedUser = { email: "sim@example.org", password: "simulated password" } as const;

/** Masters, chunkservers and a gateway, each on a machine of its own, all in this process. */
export class SimulatedCluster {
  readonly network: SimNetwork;
  readonly masters: readonly SimulatedHost<Master>[];
  readonly nodes: readonly SimulatedHost<Chunkserver>[];
  readonly gateway: SimulatedHost<Gateway>;

  constructor(world: SimWorld) {
    this.network = createSimNetwork(world);
    const host = <R extends Running>(name: string, build: (ports: HostPorts) => Promise<R>): SimulatedHost<R> =>
      new SimulatedHost(world, this.network, { name, build });
    this.masters = numbers(masterCount).map((id) => host(`master-${id}`, (ports) => startMaster(id, ports)));
    this.nodes = numbers(nodeCount).map((id) => host(`node-${id}`, (ports) => startNode(id, ports)));
    this.gateway = host("gateway-1", startGateway);
  }

  /** Everything there is, masters first. */
  hosts(): readonly SimulatedHost<Running>[] {
    return [...this.masters, ...this.nodes, this.gateway];
  }

  /** Who may be harmed. */
  targets(): FaultTargets {
    const names = (hosts: readonly SimulatedHost<Running>[]): readonly string[] => hosts.map((one) => one.name);
    return { masters: names(this.masters), nodes: names(this.nodes), gateways: [this.gateway.name] };
  }

  /** Starts every process. */
  start(): void {
    for (const one of this.hosts()) one.start();
  }

  /** The gateway's use-cases, while it runs. */
  drive(): Drive | undefined {
    return this.gateway.running?.drive;
  }

  /** What every running master says of itself now. */
  views(): readonly MasterView[] {
    return this.masters.flatMap((one) => {
      const master = one.running;
      if (master === undefined) return [];
      const { role, term, commitIndex } = master.raft.status();
      const folded = master.foldedState();
      const stateHash = toHex(folded.stateHash);
      const appliedIndex = folded.index;
      return [
        {
          name: one.name,
          isLeader: role === "leader",
          term,
          appliedIndex,
          commitIndex,
          stateHash,
          startCount: one.startCount,
        },
      ];
    });
  }
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

const masterAddresses = numbers(masterCount).map((id) => `master-${id}:7000`);

const portsOf = ({ process, network }: HostPorts) => ({
  clock: process.clock,
  timers: process.timers,
  random: process.random,
  disk: process.disk,
  network,
  logger: silentLogger,
  metrics: createMetrics(),
});

function startMaster(id: number, ports: HostPorts): Promise<Master> {
  return buildMaster(
    {
      id,
      name: `master-${id}`,
      listen: `master-${id}:7000`,
      peers: masterAddresses.map((address, index) => ({ id: index + 1, address })),
      data: "/data",
      clusterId,
      replication: 3,
      chunkSizeBytes,
      preset: "demo",
    },
    { ...portsOf(ports), openStore: (path) => ports.process.openStore(path) },
  );
}

function startNode(id: number, ports: HostPorts): Promise<Chunkserver> {
  const config = {
    ...chunkserverDefaults,
    name: `node-${id}`,
    listenAddress: `node-${id}:7000`,
    advertisedAddress: `node-${id}:7000`,
    masterAddresses,
    dataDirectory: "/data",
    expectedClusterId: clusterId,
    zone: "",
  };
  const mac = `02:00:00:00:00:0${id}`;
  return buildChunkserver(config, { ...portsOf(ports), hostIdentity: () => ({ ip: `10.0.0.${id}`, mac }) });
}

function startGateway(ports: HostPorts): Promise<Gateway> {
  const config = {
    ...defaultGatewayConfig,
    masterAddresses,
    clusterId,
    partSizeBytes: 2 * chunkSizeBytes,
    firstAccounts: { defaultUser: simulatedUser, imported: [] },
  };
  const setupLink = { publish: async () => undefined, withdraw: async () => undefined };
  return buildGateway(config, { ...portsOf(ports), passwordHasher: createMemoryPasswordHasher(), setupLink });
}
