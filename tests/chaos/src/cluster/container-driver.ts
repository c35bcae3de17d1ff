import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import {
  GenericContainer,
  getContainerRuntimeClient,
  PullPolicy,
  type StartedTestContainer,
  type ContainerRuntimeClient,
} from "testcontainers";
import type { ClusterDriver, Endpoint, ProcessPlan, ProcessSignal } from "./cluster-driver.ts";
import { hasCommand, runCommand } from "./run-command.ts";

const root = path.resolve(import.meta.dirname, "../../../..");
const image = "holdfast:chaos";

/** Why there can be no containers on this machine; undefined = there can. */
export async function containersMissing(): Promise<string | undefined> {
  if (process.platform !== "linux") return "needs Linux";
  if (!(await hasCommand(["docker", "info"]))) return "no container engine answers";
  return undefined;
}

/** An address that stays the same however often the container is stopped and started. */
class PlacedContainer extends GenericContainer {
  placeAt(network: string, address: string): this {
    this.createOpts.NetworkingConfig = { EndpointsConfig: { [network]: { IPAMConfig: { IPv4Address: address } } } };
    return this;
  }
}

interface PlacedProcess {
  readonly container: StartedTestContainer;
  isPaused: boolean;
}

/** Every process in a container of its own, from an image made of this checkout. No image is pulled, and no reaper runs. */
export class ContainerDriver implements ClusterDriver {
  readonly kind = "container";
  readonly cutMissing: string | undefined;
  readonly #client: ContainerRuntimeClient;
  readonly #network: string;
  readonly #subnet: string;
  readonly #names: readonly string[];
  readonly #placed = new Map<string, PlacedProcess>();

  private constructor(options: {
    readonly client: ContainerRuntimeClient;
    readonly network: string;
    readonly subnet: string;
    readonly names: readonly string[];
    readonly cutMissing: string | undefined;
  }) {
    this.#client = options.client;
    this.#network = options.network;
    this.#subnet = options.subnet;
    this.#names = options.names;
    this.cutMissing = options.cutMissing;
  }

  /** Makes the image and the network. */
  static async create(names: readonly string[]): Promise<ContainerDriver> {
    // The reaper is an image of its own, which nobody here could pull.
    process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
    await runCommand([path.join(root, "compose/make-image.sh"), image]);
    const client = await getContainerRuntimeClient();
    await removeLeftovers();
    const subnet = `10.${randomInt(100, 250)}.${randomInt(1, 250)}`;
    const network = `hf${process.pid}x${randomInt(100)}`;
    await client.container.dockerode.createNetwork({
      Name: network,
      Driver: "bridge",
      IPAM: { Driver: "default", Config: [{ Subnet: `${subnet}.0/24` }] },
    });
    const canCut =
      process.getuid?.() === 0 && (await hasCommand(["iptables", "-V"])) && (await hasCommand(["nsenter", "-V"]));
    const cutMissing = canCut ? undefined : "needs root, iptables and nsenter";
    return new ContainerDriver({ client, network, subnet, names, cutMissing });
  }

  endpoint(name: string): Endpoint {
    // .1 is the machine itself.
    const host = `${this.#subnet}.${this.#names.indexOf(name) + 2}`;
    return { host, port: 7000, healthPort: 7001 };
  }

  async launch(plan: ProcessPlan, onExit: (how: string) => void): Promise<void> {
    const known = this.#placed.get(plan.name);
    if (known === undefined) await this.#create(plan);
    else await this.#handle(plan.name).start();
    this.#handle(plan.name)
      .wait()
      .then(
        (ended: { readonly StatusCode: number }) => onExit(`exit code ${ended.StatusCode}`),
        (error: unknown) => onExit(String(error)),
      );
  }

  async signal(name: string, signal: ProcessSignal): Promise<void> {
    const placed = this.#placed.get(name);
    if (placed === undefined) return;
    const handle = this.#handle(name);
    if (signal === "SIGSTOP" && !placed.isPaused) await handle.pause();
    // A frozen container gets its signals only once it goes on.
    else if (placed.isPaused && signal !== "SIGUSR2") await handle.unpause();
    placed.isPaused = signal === "SIGSTOP";
    if (signal === "SIGKILL" || signal === "SIGTERM" || signal === "SIGUSR2") await handle.kill({ signal });
  }

  async inNetworkOf(name: string, command: readonly string[]): Promise<void> {
    const { State } = await this.#handle(name).inspect();
    // Down: there is no network that anything could be done to.
    if (State.Pid > 0) await runCommand(["nsenter", "-t", String(State.Pid), "-n", ...command]);
  }

  async logOf(name: string): Promise<string> {
    if (!this.#placed.has(name)) return "";
    const text: unknown = await this.#handle(name).logs({ stdout: true, stderr: true, follow: false });
    return withoutFrames(text as Buffer);
  }

  async close(): Promise<void> {
    for (const name of this.#placed.keys()) await this.#handle(name).remove({ force: true });
    await this.#client.container.dockerode.getNetwork(this.#network).remove();
  }

  async #create(plan: ProcessPlan): Promise<void> {
    const binds = [
      ...plan.folders.map((folder) => ({ source: folder, target: folder, mode: "rw" as const })),
      // The harness's own entry is no part of the product's image.
      { source: path.join(root, "tests/chaos"), target: "/app/tests/chaos", mode: "ro" as const },
    ];
    const container = await new PlacedContainer(image)
      .placeAt(this.#network, this.endpoint(plan.name).host)
      .withNetworkMode(this.#network)
      .withPullPolicy(PullPolicy.neverPull())
      .withName(`${this.#network}-${plan.name}`)
      .withEnvironment(plan.environment)
      .withBindMounts(binds)
      .withEntrypoint(["/bin/node"])
      .withCommand([...plan.command])
      .start();
    this.#placed.set(plan.name, { container, isPaused: false });
  }

  #handle(name: string): ReturnType<ContainerRuntimeClient["container"]["getById"]> {
    const placed = this.#placed.get(name);
    if (placed === undefined) throw new Error(`there is no container for ${name}`);
    return this.#client.container.getById(placed.container.getId());
  }
}

/** The engine sends output in frames: one byte says which stream, four how long. */
function withoutFrames(framed: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= framed.length;) {
    const length = framed.readUInt32BE(at + 4);
    parts.push(framed.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts).toString();
}

/** Containers and networks of harnesses that were killed; theirs is the process id in the name. */
async function removeLeftovers(): Promise<void> {
  const isLeftover = (name: string): boolean => {
    const owner = /^hf(\d+)x\d+/.exec(name)?.[1];
    return owner !== undefined && !existsSync(`/proc/${owner}`);
  };
  for (const what of ["container", "network"]) {
    const all = what === "container" ? ["--all"] : [];
    const column = what === "container" ? "{{.Names}}" : "{{.Name}}";
    const names = (await runCommand(["docker", what, "ls", ...all, "--format", column])).split("\n").filter(isLeftover);
    for (const name of names)
      await runCommand(["docker", what, "rm", ...(what === "container" ? ["--force"] : []), name]);
  }
}
