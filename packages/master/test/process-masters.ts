import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { isHoldfastError, must } from "@holdfast/base";
import { createMetrics, silentLogger } from "@holdfast/observability";
import {
  GetMasterStatusRequestSchema,
  QueryService,
  type GetMasterStatusResponse,
} from "@holdfast/proto/master/v1/master";
import { createLeaderCaller, type LeaderCaller, type Network } from "@holdfast/rpc";
import { createGrpcNetwork } from "@holdfast/rpc/node";
import { createNodeClock, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";

const mainPath = new URL("../src/main.ts", import.meta.url).pathname;

/** Real master processes on loopback, with data in a temporary folder. */
export class ProcessMasters {
  readonly network: Network;
  readonly caller: LeaderCaller;
  readonly addresses: readonly string[];
  readonly #folder: string;
  readonly #processes = new Map<number, ChildProcess>();
  readonly #children = new Set<ChildProcess>();
  readonly #output = new Map<number, string[]>();

  private constructor(folder: string, addresses: readonly string[]) {
    this.#folder = folder;
    this.addresses = addresses;
    const ports = { clock: createNodeClock(), timers: createNodeTimers(), random: createNodeRandom() };
    this.network = createGrpcNetwork({ ...ports, logger: silentLogger, metrics: createMetrics() });
    this.caller = createLeaderCaller({ ...ports, network: this.network, addresses });
  }

  static async create(count: number): Promise<ProcessMasters> {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-masters-"));
    const ports = await freePorts(count);
    return new ProcessMasters(
      folder,
      ports.map((port) => `127.0.0.1:${port}`),
    );
  }

  get ids(): readonly number[] {
    return this.addresses.map((_, index) => index + 1);
  }

  startAll(): void {
    for (const id of this.ids) if (!this.#processes.has(id)) this.start(id);
  }

  start(id: number, changes: Readonly<Record<string, string>> = {}): ChildProcess {
    const flags = {
      ...{ "--id": `${id}`, "--name": `master-${id}`, "--listen": must(this.addresses[id - 1], "ids have addresses") },
      ...{
        "--peers": this.addresses.map((address, index) => `${index + 1}=${address}`).join(","),
        "--data": this.dataOf(id),
      },
      ...{ "--cluster-id": "0123456789abcdef0123456789abcdef", "--preset": "demo" },
      ...changes,
    };
    const child = spawn(process.execPath, [mainPath, ...Object.entries(flags).flat()], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const lines: string[] = [];
    child.stderr.setEncoding("utf8").on("data", (text: string) => lines.push(text));
    this.#children.add(child);
    this.#processes.set(id, child);
    this.#output.set(id, lines);
    child.once("exit", () => {
      this.#children.delete(child);
      if (this.#processes.get(id) === child) this.#processes.delete(id);
    });
    return child;
  }

  /** Where a master keeps its data. */
  dataOf(id: number): string {
    return join(this.#folder, `master-${id}`);
  }

  /** The process of a master that runs. */
  processOf(id: number): ChildProcess {
    return must(this.#processes.get(id), "a master that is asked for runs");
  }

  /** What a master wrote. */
  output(id: number): string {
    return (this.#output.get(id) ?? []).join("");
  }

  /** Sends a signal and waits for the end; gives the exit code (null after a kill). */
  async end(id: number, signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    const child = must(this.#processes.get(id), "a master that is ended runs");
    const ended = once(child, "exit");
    child.kill(signal);
    const [code] = (await ended) as [number | null];
    return code;
  }

  /** A master's own view; undefined when it does not answer. */
  async status(id: number): Promise<GetMasterStatusResponse | undefined> {
    try {
      const client = this.network.client(QueryService, must(this.addresses[id - 1], "ids have addresses"));
      return await client.getMasterStatus(create(GetMasterStatusRequestSchema), { timeoutMs: 1000 });
    } catch (error) {
      if (isHoldfastError(error)) return undefined;
      throw error;
    }
  }

  /** Waits for a leader that is ready. */
  async leader(): Promise<number> {
    for (;;) {
      for (const id of this.ids) if ((await this.status(id))?.isReadyLeader === true) return id;
    }
  }

  /** Waits until all masters have applied the same; gives their state hashes. */
  async agreed(): Promise<ReadonlySet<string>> {
    for (;;) {
      const all = await Promise.all(this.ids.map((id) => this.status(id)));
      if (new Set(all.map((status) => status?.master?.appliedIndex)).size !== 1 || all.includes(undefined)) continue;
      return new Set(all.map((status) => Buffer.from(status?.stateHash ?? []).toString("hex")));
    }
  }

  async destroy(): Promise<void> {
    for (const child of [...this.#children]) {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
    await this.network.close();
    await rm(this.#folder, { recursive: true });
  }
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) {
    server.close();
    await once(server, "close");
  }
  return ports;
}
