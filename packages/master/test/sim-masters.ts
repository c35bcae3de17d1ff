import { create } from "@bufbuild/protobuf";
import { must } from "@holdfast/base";
import {
  CommandService,
  ExecuteRequestSchema,
  GetClusterStatusRequestSchema,
  QueryService,
  type Command,
  type ExecuteResponse,
  type GetClusterStatusResponse,
} from "@holdfast/proto/master/v1/master";
import { createMetrics, createRecordingLogger } from "@holdfast/observability";
import { createLeaderCaller, type LeaderCaller, type Network } from "@holdfast/rpc";
import { createSimNetwork, type SimNetwork } from "@holdfast/rpc/sim";
import { createSimWorld, type SimProcess, type SimWorld } from "@holdfast/runtime/sim";
import { buildMaster, type Master, type MasterConfig } from "../src/index.ts";

/** A master that runs, and the process it runs in. */
export interface RunningMaster {
  readonly id: number;
  readonly master: Master;
  readonly process: SimProcess;
}

export const simClusterId = "0123456789abcdef0123456789abcdef";

/** Masters in one simulated world, and a client that follows their leader. */
export class SimMasters {
  readonly world: SimWorld;
  readonly network: SimNetwork;
  readonly masters = new Map<number, RunningMaster>();
  readonly ids: readonly number[];
  readonly client: Network;
  readonly caller: LeaderCaller;
  readonly log = createRecordingLogger();
  readonly #changes: Partial<MasterConfig>;
  #requestCount = 0;

  constructor(options: {
    readonly seed: number | string;
    readonly count?: number;
    readonly changes?: Partial<MasterConfig>;
  }) {
    this.world = createSimWorld(options.seed);
    this.network = createSimNetwork(this.world);
    this.ids = Array.from({ length: options.count ?? 3 }, (_, index) => index + 1);
    this.#changes = options.changes ?? {};
    const { process, network } = this.processOn("client");
    this.client = network;
    const { clock, timers, random } = process;
    this.caller = createLeaderCaller({ addresses: this.ids.map(addressOf), network, clock, timers, random });
  }

  processOn(machine: string): { readonly process: SimProcess; readonly network: Network } {
    const process = this.world.machine(machine).startProcess();
    return { process, network: this.network.forProcess(process) };
  }

  async startAll(): Promise<void> {
    for (const id of this.ids) if (!this.masters.has(id)) await this.start(id);
  }

  async start(id: number): Promise<RunningMaster> {
    const { process, network } = this.processOn(`master-${id}`);
    const { clock, timers, random, disk } = process;
    const openStore = (path: string): ReturnType<SimProcess["openStore"]> => process.openStore(path);
    const ports = { clock, timers, random, disk, network, logger: this.log, metrics: createMetrics(), openStore };
    const config: MasterConfig = {
      ...{ id, name: `master-${id}`, listen: addressOf(id), data: "/data", clusterId: simClusterId },
      peers: this.ids.map((peer) => ({ id: peer, address: addressOf(peer) })),
      ...{ replication: 3, chunkSizeBytes: 4 << 20, preset: "demo" },
      ...this.#changes,
    };
    const master = await this.world.settle(buildMaster(config, ports), 10_000);
    const running = { id, master, process };
    this.masters.set(id, running);
    return running;
  }

  /** `kill -9`, or with it the power. */
  crash(id: number, kind: "process" | "powerCut" = "process"): void {
    const running = must(this.masters.get(id), "a master that is crashed runs");
    this.masters.delete(id);
    if (kind === "powerCut") this.world.machine(`master-${id}`).powerCut();
    else running.process.crash();
  }

  /** The master that leads and is ready to; fails when nobody does in time. */
  async leader(limitMs = 5000): Promise<RunningMaster> {
    const find = (): RunningMaster | undefined =>
      [...this.masters.values()].find(({ master }) => master.raft.status().isReadyLeader && master.readiness().isReady);
    if (!(await this.world.runUntil(() => find() !== undefined, limitMs)))
      throw new Error(`nobody leads after ${limitMs} ms`);
    return must(find(), "somebody leads");
  }

  /** Executes a command at whoever leads, as a gateway does. */
  execute(command: Command["command"], requestId = `request-${++this.#requestCount}`): Promise<ExecuteResponse> {
    const request = create(ExecuteRequestSchema, { requestId, actor: "gateway:test", command: { command } });
    const answer = this.caller.call(CommandService, (client, options) => client.execute(request, options), {
      timeoutMs: 20_000,
    });
    return this.world.settle(answer, 25_000);
  }

  status(): Promise<GetClusterStatusResponse> {
    const answer = this.caller.call(QueryService, (client, options) =>
      client.getClusterStatus(create(GetClusterStatusRequestSchema), options),
    );
    return this.world.settle(answer, 25_000);
  }

  /** Runs until every master has applied the same entries; false when that does not happen in time. */
  settled(limitMs = 10_000): Promise<boolean> {
    const indexes = (): Set<number> =>
      new Set([...this.masters.values()].map(({ master }) => master.raft.status().appliedIndex));
    return this.world.runUntil(() => indexes().size === 1, limitMs);
  }
}

/** host:port of a master in the simulated world. */
export function addressOf(id: number): string {
  return `master-${id}:7000`;
}
