import { toHex } from "@holdfast/base";
import { buildChunkserver, type Chunkserver } from "@holdfast/chunkserver";
import { buildGateway, type Gateway } from "@holdfast/gateway";
import { type AppliedBatch, buildMaster, type Master } from "@holdfast/master";
import { createSimNetwork, type SimNetwork } from "@holdfast/rpc/sim";
import type { SimWorld } from "@holdfast/runtime/sim";
import type { MasterView } from "../checkers/raft-checker.ts";
import type { FaultTargets } from "../faults/fault-plan.ts";
import { chunkserverOf, gatewayOf, masterOf } from "./process-configs.ts";
import { type HostOptions, type Running, SimulatedHost } from "./simulated-host.ts";
import type { WorldShape } from "./world-shape.ts";

/** Masters, chunkservers and gateways, each on a machine of its own, all in this process. */
export class SimulatedCluster {
  readonly network: SimNetwork;
  readonly masters: readonly SimulatedHost<Master>[];
  /** Those of the start first; the spare ones run when somebody starts them. */
  readonly nodes: readonly SimulatedHost<Chunkserver>[];
  readonly gateways: readonly SimulatedHost<Gateway>[];
  readonly #shape: WorldShape;
  readonly #appliedListeners: ((batch: AppliedBatch, master: string) => void)[] = [];
  /** What each master said last of its tables: it is asked again when it applied something. */
  readonly #folded = new Map<string, FoldedView>();

  constructor(world: SimWorld, shape: WorldShape) {
    this.#shape = shape;
    this.network = createSimNetwork(world);
    const clocks = world.random.fork("clocks");
    const host = <R extends Running>(options: Omit<HostOptions<R>, "machine">): SimulatedHost<R> => {
      const machine = world.machine(options.name, { perMiBMs: shape.diskMsPerMiB });
      machine.clockRate = 1 + clocks.between(-shape.clockDriftMax, shape.clockDriftMax);
      return new SimulatedHost(world, this.network, { ...options, machine });
    };
    this.masters = numbers(shape.masterCount).map((id) => {
      const name = `master-${id}`;
      const build: HostOptions<Master>["build"] = async (ports) => {
        const master = await buildMaster(...masterOf(id, shape, ports));
        master.onApplied((batch) => {
          this.#folded.delete(name);
          this.#appliedListeners.forEach((listener) => listener(batch, name));
        });
        // As `main.ts` of the master does.
        master.raft.subscribe((event) => {
          if (event.kind === "diskFailed") ports.exit();
        });
        return master;
      };
      return host<Master>({ name, build });
    });
    this.nodes = numbers(shape.nodeCount + shape.spareNodeCount).map((id) =>
      host<Chunkserver>({ name: `node-${id}`, build: (ports) => buildChunkserver(...chunkserverOf(id, shape, ports)) }),
    );
    this.gateways = numbers(shape.gatewayCount).map((id) =>
      host<Gateway>({ name: `gateway-${id}`, build: (ports) => buildGateway(...gatewayOf(id, shape, ports)) }),
    );
    const { delayMsMax, breakProbability, lineBytesPerMs } = shape;
    this.network.setDefaultQuality({ delayMs: [0.05, delayMsMax], breakProbability, bytesPerMs: lineBytesPerMs });
  }

  /** Everything there is, masters first. */
  hosts(): readonly SimulatedHost<Running>[] {
    return [...this.masters, ...this.nodes, ...this.gateways];
  }

  /** Who may be harmed. */
  targets(): FaultTargets {
    const names = (hosts: readonly SimulatedHost<Running>[]): readonly string[] => hosts.map((one) => one.name);
    return {
      masters: names(this.masters),
      nodes: names(this.nodes.slice(0, this.#shape.nodeCount)),
      spareNodes: names(this.nodes.slice(this.#shape.nodeCount)),
      gateways: names(this.gateways),
    };
  }

  /** Starts every process but the spare nodes. */
  start(): void {
    for (const one of this.hosts()) if (!this.targets().spareNodes.includes(one.name)) one.start();
  }

  /** Calls back with every batch that any master folds, while it is folded. */
  onApplied(listener: (batch: AppliedBatch, master: string) => void): void {
    this.#appliedListeners.push(listener);
  }

  /** What every running master says of itself now. */
  views(): readonly MasterView[] {
    return this.masters.flatMap((one) => {
      const master = one.running;
      if (master === undefined) return [];
      const { role, term, commitIndex, appliedIndex, standing } = master.raft.status();
      const folded = this.#foldedOf(one.name, master, appliedIndex);
      return [
        {
          name: one.name,
          isLeader: role === "leader",
          term,
          appliedIndex: folded.index,
          stateHash: folded.stateHash,
          commitIndex,
          isMember: standing === "member",
          startCount: one.startCount,
        },
      ];
    });
  }

  #foldedOf(name: string, master: Master, appliedIndex: number): FoldedView {
    const known = this.#folded.get(name);
    if (known?.master === master && known.raftIndex === appliedIndex) return known;
    const { index, stateHash } = master.foldedState();
    const folded = { master, raftIndex: appliedIndex, index, stateHash: toHex(stateHash) };
    this.#folded.set(name, folded);
    return folded;
  }
}

interface FoldedView {
  readonly master: Master;
  /** What Raft called applied then. */
  readonly raftIndex: number;
  readonly index: number;
  readonly stateHash: string;
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
