import { randomInt } from "node:crypto";
import { hasCommand, runCommand } from "./run-command.ts";

/**
 * A local network of its own for one cluster: every host is a network namespace with one interface on a bridge, and so is
 * this machine. Packets between two hosts really leave one and enter the other, so a rule in one of them cuts one
 * direction, as a broken switch would.
 */
export class Lan {
  readonly #prefix: string;
  readonly #subnet: string;
  readonly #hosts: ReadonlyMap<string, { readonly namespace: string; readonly address: string }>;

  private constructor(prefix: string, subnet: string, names: readonly string[]) {
    this.#prefix = prefix;
    this.#subnet = subnet;
    this.#hosts = new Map(
      names.map((name, index) => [name, { namespace: `${prefix}-${index + 1}`, address: `10.${subnet}.${index + 1}` }]),
    );
  }

  /** Why there can be none on this machine; undefined = there can. */
  static async missing(): Promise<string | undefined> {
    if (process.getuid?.() !== 0) return "needs root";
    if (!(await hasCommand(["ip", "-V"]))) return "needs iproute2";
    if (!(await hasCommand(["iptables", "-V"]))) return "needs iptables";
    const probe = `hfprobe${process.pid}`;
    if (!(await hasCommand(["ip", "netns", "add", probe]))) return "network namespaces are not allowed here";
    const canFilter = await hasCommand(["ip", "netns", "exec", probe, "iptables", "-w", "-L", "INPUT"]);
    await runCommand(["ip", "netns", "del", probe]);
    return canFilter ? undefined : "iptables does not work in a namespace here";
  }

  static async create(names: readonly string[]): Promise<Lan> {
    const prefix = `hf${process.pid}x${randomInt(100)}`;
    const lan = new Lan(prefix, `${randomInt(100, 250)}.${randomInt(1, 250)}`, names);
    try {
      await lan.#build();
    } catch (error) {
      await lan.destroy();
      throw error;
    }
    return lan;
  }

  addressOf(name: string): string {
    return this.#host(name).address;
  }

  /** The command as it must be run to be inside the host's network. */
  inside(name: string, command: readonly string[]): readonly string[] {
    return ["ip", "netns", "exec", this.#host(name).namespace, ...command];
  }

  async destroy(): Promise<void> {
    const namespaces = [...[...this.#hosts.values()].map((host) => host.namespace), this.#prefix];
    // Interfaces go with their namespaces; one that was never made is no trouble.
    for (const namespace of namespaces) await hasCommand(["ip", "netns", "del", namespace]);
  }

  async #build(): Promise<void> {
    const bridge = this.#prefix;
    const outside = `${bridge}o`;
    await runCommand(["ip", "netns", "add", bridge]);
    for (const { namespace } of this.#hosts.values()) await runCommand(["ip", "netns", "add", namespace]);
    const lines = [`link add br0 netns ${bridge} type bridge`, ...cable(outside, undefined, "out", bridge)];
    for (const { namespace } of this.#hosts.values()) lines.push(...cable("eth0", namespace, namespace, bridge));
    lines.push(`addr add 10.${this.#subnet}.254/24 dev ${outside}`, `link set ${outside} up`);
    await runCommand(["ip", "-batch", "-"], `${lines.join("\n")}\n`);
    const ports = ["out", ...[...this.#hosts.values()].map((host) => host.namespace)];
    const inBridge = ports.flatMap((port) => [`link set ${port} master br0`, `link set ${port} up`]);
    await runCommand(["ip", "-n", bridge, "-batch", "-"], `link set br0 up\n${inBridge.join("\n")}\n`);
    for (const { namespace, address } of this.#hosts.values()) {
      const own = [`addr add ${address}/24 dev eth0`, "link set eth0 up", "link set lo up"];
      await runCommand(["ip", "-n", namespace, "-batch", "-"], `${own.join("\n")}\n`);
    }
  }

  #host(name: string): { readonly namespace: string; readonly address: string } {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`there is no host ${name}`);
    return host;
  }
}

/** One end for the host, the other for the bridge. */
function cable(end: string, namespace: string | undefined, port: string, bridge: string): readonly string[] {
  const where = namespace === undefined ? "" : ` netns ${namespace}`;
  return [`link add ${end}${where} type veth peer name ${port} netns ${bridge}`];
}
