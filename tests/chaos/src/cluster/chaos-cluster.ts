import { randomBytes } from "node:crypto";
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readMetric, waitFor } from "@holdfast/tests-conformance";
import type { ClusterDriver } from "./cluster-driver.ts";
import { clockFileOf, type ClusterShape, joinSecretFileOf, planProcess, processNames, roleOf } from "./cluster-plan.ts";
import { ContainerDriver } from "./container-driver.ts";
import { clearLeftovers, clusterFolderPrefix } from "./leftovers.ts";
import { ProcessDriver } from "./process-driver.ts";
import { SmallDisk } from "./small-disk.ts";

/** What may be different from a cluster of 3 masters, 4 chunkservers, 2 gateways and 3 copies. */
export interface ChaosClusterOptions extends Partial<Omit<ClusterShape, "clusterId" | "basePath">> {
  readonly driver?: "process" | "container";
  /** Processes whose disks can be filled (root only). */
  readonly smallDisks?: readonly string[];
  readonly smallDiskBytes?: number;
}

/** A process that ended though nobody here asked for it. */
export interface UnexpectedExit {
  readonly name: string;
  readonly atMs: number;
  readonly how: string;
  readonly wasDiskFull: boolean;
  /** The end of its log. */
  readonly lastLines: readonly string[];
}

type ProcessState = "down" | "up" | "paused";

const restartDelayMs = 1_000;
/** So many deaths while one process is waited for: it will not come. */
const hopelessExits = 8;

/** A whole cluster of real processes that can be hurt in every way the suite knows. */
export class ChaosCluster {
  readonly shape: ClusterShape;
  readonly names: readonly string[];
  /** Why the network or disks cannot be hurt here, by what is missing. */
  readonly missing: { readonly cut: string | undefined; readonly fullDisk: string | undefined };
  readonly unexpectedExits: UnexpectedExit[] = [];
  readonly #driver: ClusterDriver;
  readonly #states = new Map<string, ProcessState>();
  /** Processes that are meant to run; others are down on purpose. */
  readonly #wanted = new Set<string>();
  readonly #disks: ReadonlyMap<string, SmallDisk>;
  readonly #fullDisks = new Set<string>();
  readonly #cuts = new Set<string>();
  #isClosing = false;

  private constructor(shape: ClusterShape, driver: ClusterDriver, disks: ReadonlyMap<string, SmallDisk>) {
    this.shape = shape;
    this.names = processNames(shape);
    this.#driver = driver;
    this.#disks = disks;
    const fullDisk = disks.size > 0 ? undefined : "needs root to mount small disks";
    this.missing = { cut: driver.cutMissing, fullDisk };
  }

  /** Starts everything and resolves once files can be stored. */
  static async start(options: ChaosClusterOptions = {}): Promise<ChaosCluster> {
    await clearLeftovers();
    const basePath = await mkdtemp(clusterFolderPrefix());
    const shape: ClusterShape = {
      ...{ masters: 3, nodes: 4, gateways: 2, replication: 3, chunkSizeBytes: 1 << 20, planted: [] },
      ...options,
      clusterId: randomBytes(16).toString("hex"),
      basePath,
    };
    const names = processNames(shape);
    await mkdir(path.join(basePath, "run"));
    await writeFile(joinSecretFileOf(shape), randomBytes(32).toString("hex"), { mode: 0o600 });
    for (const name of names) {
      await writeFile(clockFileOf(shape, name), "0");
      if (roleOf(name) !== "gateway") await mkdir(path.join(basePath, name));
    }
    const disks = new Map<string, SmallDisk>();
    if (process.getuid?.() === 0) {
      for (const name of options.smallDisks ?? [])
        disks.set(name, await SmallDisk.mount(path.join(basePath, name), options.smallDiskBytes ?? 1 << 30));
    }
    const driver = await (options.driver === "container" ? ContainerDriver.create(names) : ProcessDriver.create(names));
    const cluster = new ChaosCluster(shape, driver, disks);
    try {
      await Promise.all(names.map((name) => cluster.startProcess(name)));
      await cluster.waitUntilReady();
    } catch (error) {
      const logs = await Promise.all(
        names.map(async (name) => `${name}: ${(await cluster.logEnd(name, 3)).join("\n")}`),
      );
      await cluster.destroy();
      throw new Error(`the cluster did not start: ${String(error)}\n${logs.join("\n")}`, { cause: error });
    }
    return cluster;
  }

  get driver(): "process" | "container" {
    return this.#driver.kind;
  }

  /** Processes of one role, in order. */
  ofRole(role: "master" | "node" | "gateway"): readonly string[] {
    return this.names.filter((name) => roleOf(name) === role);
  }

  /** "http://10.1.2.8:8080" of every gateway. */
  get origins(): readonly string[] {
    return this.ofRole("gateway").map((name) => this.originOf(name));
  }

  originOf(gateway: string): string {
    const { host, port } = this.#driver.endpoint(gateway);
    return `http://${host}:${port}`;
  }

  /** On this machine's disk, with either driver. */
  dataPath(name: string): string {
    return path.join(this.shape.basePath, name);
  }

  stateOf(name: string): ProcessState {
    return this.#states.get(name) ?? "down";
  }

  /** Processes whose disk can be filled. */
  get smallDisks(): readonly string[] {
    return [...this.#disks.keys()];
  }

  async waitUntilReady(timeoutMs = 90_000): Promise<void> {
    for (const name of this.ofRole("gateway")) await this.waitForProcess(name, timeoutMs);
  }

  /** Resolves once the process says that it can work. */
  async waitForProcess(name: string, timeoutMs = 60_000): Promise<void> {
    const url = this.#healthUrl(name, "/readyz");
    const exitsBefore = this.unexpectedExits.length;
    const isReady = (): Promise<boolean> => {
      if (this.unexpectedExits.length - exitsBefore > hopelessExits) throw new Error("processes end again and again");
      return isOk(url);
    };
    await waitFor(`${name} to be ready`, isReady, timeoutMs);
  }

  /** A metric without labels of a process; 0 when it does not answer or has none of that name. */
  metricOf(name: string, metric: string): Promise<number> {
    return readMetric(this.#healthUrl(name, "/metrics"), metric);
  }

  #healthUrl(name: string, path: string): string {
    const { host, port, healthPort } = this.#driver.endpoint(name);
    return `http://${host}:${roleOf(name) === "gateway" ? port : healthPort}${path}`;
  }

  /** Starts a process that is down; from now on it is meant to run, and is started again if it dies by itself. */
  async startProcess(name: string): Promise<void> {
    this.#wanted.add(name);
    if (this.stateOf(name) !== "down" || this.#isClosing) return;
    this.#states.set(name, "up");
    const plan = planProcess(this.shape, name, (other) => this.#driver.endpoint(other));
    await this.#driver.launch(plan, (how) => this.#ended(name, how));
    await this.#applyCuts(name);
  }

  /** SIGKILL; it stays down until started. Resolves when it is gone. */
  async kill(name: string): Promise<void> {
    await this.#end(name, "SIGKILL");
  }

  /** SIGTERM; it finishes what it does. Resolves when it is gone. */
  async stop(name: string): Promise<void> {
    await this.#end(name, "SIGTERM");
  }

  /** SIGKILL to all of them at the same moment. */
  async killEverything(): Promise<void> {
    await Promise.all(this.names.map((name) => this.kill(name)));
  }

  async pause(name: string): Promise<void> {
    if (this.stateOf(name) !== "up") return;
    await this.#driver.signal(name, "SIGSTOP");
    this.#states.set(name, "paused");
  }

  async resume(name: string): Promise<void> {
    if (this.stateOf(name) !== "paused") return;
    await this.#driver.signal(name, "SIGCONT");
    this.#states.set(name, "up");
  }

  /** Packets from one host to another are dropped until `healNetwork`. */
  async cut(from: string, to: string): Promise<void> {
    const key = `${from} ${to}`;
    if (this.#cuts.has(key)) return;
    this.#cuts.add(key);
    if (this.stateOf(to) !== "down" || this.driver === "process") await this.#drop(from, to);
  }

  async healNetwork(): Promise<void> {
    const receivers = new Set([...this.#cuts].map((key) => key.split(" ")[1] ?? ""));
    this.#cuts.clear();
    for (const name of receivers) {
      // A container that is down has no network, and so no rule.
      if (this.stateOf(name) !== "down" || this.driver === "process")
        await this.#driver.inNetworkOf(name, ["iptables", "-w", "-F", "INPUT"]);
    }
  }

  /** Nothing more fits on its disk until `freeDisk`. */
  async fillDisk(name: string): Promise<void> {
    this.#fullDisks.add(name);
    await this.#disks.get(name)?.fill();
  }

  async freeDisk(name: string): Promise<void> {
    await this.#disks.get(name)?.free();
    this.#fullDisks.delete(name);
  }

  /** Its wall clock is wrong by this much, from now on and after restarts; 0 = right. */
  async setClockOffset(name: string, offsetMs: number): Promise<void> {
    await writeFile(clockFileOf(this.shape, name), String(offsetMs));
    if (this.stateOf(name) === "up") await this.#driver.signal(name, "SIGUSR2");
  }

  /** Ends all faults that are under way: everything runs, reaches everything, has space and the right time. */
  async healEverything(): Promise<void> {
    for (const name of this.names) await this.resume(name);
    await this.healNetwork();
    for (const name of this.#fullDisks) await this.freeDisk(name);
    for (const name of this.names) {
      if ((await readFile(clockFileOf(this.shape, name), "utf8")) !== "0") await this.setClockOffset(name, 0);
      await this.startProcess(name);
    }
  }

  async logEnd(name: string, lines: number): Promise<readonly string[]> {
    const text = await this.#driver.logOf(name).catch((error: unknown) => String(error));
    return text.trimEnd().split("\n").slice(-lines);
  }

  /** Ends everything; removes data and logs unless they are to be kept. */
  async destroy(options: { readonly keepData?: boolean } = {}): Promise<void> {
    this.#isClosing = true;
    if (options.keepData === true && this.driver === "container") await this.#saveLogs();
    await this.#driver.close();
    for (const disk of this.#disks.values()) {
      if (options.keepData === true) await disk.keepCopy();
      await disk.unmount();
    }
    if (options.keepData !== true) await rm(this.shape.basePath, { recursive: true, force: true });
  }

  async #saveLogs(): Promise<void> {
    for (const name of this.names)
      await writeFile(path.join(this.shape.basePath, "run", `${name}.log`), await this.#driver.logOf(name));
  }

  async #end(name: string, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    this.#wanted.delete(name);
    if (this.stateOf(name) === "down") return;
    if (signal === "SIGTERM") await this.resume(name);
    await this.#driver.signal(name, signal);
    await waitFor(`${name} to be gone after ${signal}`, () => this.stateOf(name) === "down", 30_000);
  }

  #ended(name: string, how: string): void {
    this.#states.set(name, "down");
    if (this.#isClosing || !this.#wanted.has(name)) return;
    this.#restartAfterAccident(name, how).catch((error: unknown) => {
      // The run goes on without it; readiness at the end tells.
      process.stderr.write(`${name} could not be started again: ${String(error)}\n`);
    });
  }

  async #restartAfterAccident(name: string, how: string): Promise<void> {
    const wasDiskFull = this.#fullDisks.has(name);
    const lastLines = await this.logEnd(name, 8);
    this.unexpectedExits.push({ name, atMs: performance.now(), how, wasDiskFull, lastLines });
    await appendFile(path.join(this.shape.basePath, "run", "exits.log"), `${name} ${how}\n${lastLines.join("\n")}\n`);
    await delay(restartDelayMs);
    if (this.#wanted.has(name)) await this.startProcess(name);
  }

  /** A container that was started again has a new network without rules. */
  async #applyCuts(name: string): Promise<void> {
    if (this.driver === "process") return;
    for (const key of this.#cuts) {
      const [from = "", to = ""] = key.split(" ");
      if (to === name) await this.#drop(from, to);
    }
  }

  async #drop(from: string, to: string): Promise<void> {
    const { host } = this.#driver.endpoint(from);
    await this.#driver.inNetworkOf(to, ["iptables", "-w", "-A", "INPUT", "-s", host, "-j", "DROP"]);
  }
}

async function isOk(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    (response) => response.ok,
    () => false,
  );
}
