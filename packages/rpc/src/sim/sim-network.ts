import { HoldfastError } from "@holdfast/base";
import { createMetrics, silentLogger, type Logger, type Metrics } from "@holdfast/observability";
import type { SimProcess, SimWorld } from "@holdfast/runtime/sim";
import type { ClientByteCall, OpenCall } from "../binding/byte-call.ts";
import { bindClient } from "../binding/client-binding.ts";
import { bindServices, CallLimit, type AnswerCall } from "../binding/server-binding.ts";
import type { Listener, Network } from "../network.ts";
import type { ServedService } from "../service.ts";
import { SimCall } from "./sim-call.ts";
import { SimLinks, type SimLinkQuality } from "./sim-links.ts";

/** What a process's network reports to. */
export interface SimNetworkPorts {
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Calls a listener works on at a time. Default 4096. */
  readonly callsMax?: number;
}

/** The network of a simulated world, and everything that can go wrong with it. Machines are meant by name. */
export interface SimNetwork {
  /** The port for one process. Addresses are "machine:port"; a process listens on its own machine, whatever host it names. */
  forProcess(process: SimProcess, ports?: SimNetworkPorts): Network;
  /** Holds back everything from source to target; after `keepaliveMs` their calls break. One way. */
  block(source: string, target: string): void;
  /** Undoes `block`. */
  unblock(source: string, target: string): void;
  /** Blocks both ways between every machine of one group and every machine of the other. */
  partition(left: readonly string[], right: readonly string[]): void;
  /** Undoes all blocks. */
  heal(): void;
  /** Breaks every call between two machines now. */
  breakConnections(left: string, right: string): void;
  /** Sets delay, throughput and loss for one direction. */
  setQuality(source: string, target: string, quality: Partial<SimLinkQuality>): void;
  /** Sets them for all directions without their own. */
  setDefaultQuality(quality: Partial<SimLinkQuality>): void;
}

/** After how long without a sign of life a connection is given up, in ms. */
const keepaliveMs = 5_000;
/** Ports that are given out for port 0. */
const freePortMin = 40_000;

interface SimServer {
  readonly process: SimProcess;
  readonly answers: ReadonlyMap<string, AnswerCall>;
  readonly calls: Set<SimCall>;
}

/** Makes the network of a world. All randomness comes from the world's seed. */
export function createSimNetwork(world: SimWorld): SimNetwork {
  return new Hub(world);
}

class Hub implements SimNetwork {
  readonly #world: SimWorld;
  readonly #links: SimLinks;
  readonly #servers = new Map<string, SimServer>();
  readonly #calls = new Set<SimCall>();
  readonly #blocks: (readonly [source: string, target: string])[] = [];
  #nextFreePort = freePortMin;

  constructor(world: SimWorld) {
    this.#world = world;
    const random = world.random.fork("network");
    this.#links = new SimLinks(world.scheduler, random, (left, right) => this.breakConnections(left, right));
  }

  forProcess(process: SimProcess, ports: SimNetworkPorts = {}): Network {
    let isClosed = false;
    process.onEnd(() => this.#loseProcess(process));
    return {
      client: (service, address) =>
        bindClient(
          service,
          (call) => {
            if (isClosed) throw new HoldfastError("unavailable", "this process is stopping and makes no new calls");
            return this.#open(process, address, call);
          },
          process.random,
        ),
      listen: async (address, services) => this.#listen(process, address, { services, ports }),
      close: async () => {
        isClosed = true;
        for (const call of [...this.#calls]) {
          if (call.client === process)
            call.clientEnd.cancel(new HoldfastError("unavailable", "this process is stopping"));
        }
      },
    };
  }

  block(source: string, target: string): void {
    this.#links.block(source, target);
    this.#blocks.push([source, target]);
    this.#world.scheduler.schedule(keepaliveMs, `net keepalive ${source}>${target}`, () => {
      const sinceMs = this.#links.blockedSinceMs(source, target);
      const isLong = sinceMs !== undefined && sinceMs + keepaliveMs <= this.#world.nowMs();
      // Calls that began later have a wait of their own.
      if (isLong) this.#breakCalls(source, target, (call) => call.openedAtMs <= sinceMs);
    });
  }

  unblock(source: string, target: string): void {
    this.#links.unblock(source, target);
  }

  partition(left: readonly string[], right: readonly string[]): void {
    for (const one of left) {
      for (const other of right) {
        this.block(one, other);
        this.block(other, one);
      }
    }
  }

  heal(): void {
    for (const [source, target] of this.#blocks.splice(0)) this.#links.unblock(source, target);
  }

  breakConnections(left: string, right: string): void {
    this.#breakCalls(left, right, () => true);
  }

  #breakCalls(left: string, right: string, isMeant: (call: SimCall) => boolean): void {
    for (const call of [...this.#calls]) {
      const client = call.client.machine.name;
      const isBetween =
        (client === left && call.targetMachine === right) || (client === right && call.targetMachine === left);
      if (isBetween && isMeant(call)) call.breakOff();
    }
  }

  setQuality(source: string, target: string, quality: Partial<SimLinkQuality>): void {
    this.#links.setQuality(source, target, quality);
  }

  setDefaultQuality(quality: Partial<SimLinkQuality>): void {
    this.#links.setDefaultQuality(quality);
  }

  #open(client: SimProcess, address: string, open: OpenCall): ClientByteCall {
    const targetMachine = address.slice(0, address.lastIndexOf(":"));
    const call = new SimCall({
      links: this.#links,
      client,
      targetMachine,
      open,
      openedAtMs: this.#world.nowMs(),
      onOver: (over) => {
        this.#calls.delete(over);
        this.#servers.get(address)?.calls.delete(over);
      },
    });
    if (!call.isWanted) return call.clientEnd;
    this.#calls.add(call);
    this.#watchSilence(call);
    call.sendUp(open.path.length, () => this.#arrive(call, address, open.path));
    return call.clientEnd;
  }

  /** A call that begins while the way is blocked is given up as one is that was there before. */
  #watchSilence(call: SimCall): void {
    const source = call.client.machine.name;
    const isSilent = (): boolean =>
      this.#links.isBlocked(source, call.targetMachine) || this.#links.isBlocked(call.targetMachine, source);
    if (!isSilent()) return;
    this.#world.scheduler.schedule(keepaliveMs, `net keepalive ${source}>${call.targetMachine}`, () => {
      if (this.#calls.has(call) && isSilent()) call.breakOff();
    });
  }

  #arrive(call: SimCall, address: string, path: string): void {
    const server = this.#servers.get(address);
    const answer = server?.answers.get(path);
    if (server === undefined) {
      call.refuse(
        new HoldfastError("unavailable", `nobody answers at ${address}; try another server or try again in a moment`),
      );
    } else if (answer === undefined) {
      call.refuse(
        new HoldfastError("precondition", "the other side does not know this request; is it of another version?"),
      );
    } else {
      server.calls.add(call);
      // `answer` never rejects; what a handler throws is the call's outcome.
      const serverEnd = call.accept(server.process);
      server.process.enter(() => void answer(serverEnd));
    }
  }

  #listen(
    process: SimProcess,
    wanted: string,
    served: { services: readonly ServedService[]; ports: SimNetworkPorts },
  ): Listener {
    const wantedPort = Number(wanted.slice(wanted.lastIndexOf(":") + 1));
    const address = `${process.machine.name}:${wantedPort === 0 ? this.#nextFreePort++ : wantedPort}`;
    if (this.#servers.has(address))
      throw new HoldfastError("precondition", `cannot listen on ${address}; choose a free port`);
    const ports = {
      clock: process.clock,
      random: process.random,
      logger: served.ports.logger ?? silentLogger,
      metrics: served.ports.metrics ?? createMetrics(),
    };
    const answers = bindServices(served.services, ports, new CallLimit(served.ports.callsMax ?? 4096));
    const server: SimServer = { process, answers, calls: new Set() };
    this.#servers.set(address, server);
    return { address, close: (graceMs = 0) => this.#close(address, server, graceMs) };
  }

  async #close(address: string, server: SimServer, graceMs: number): Promise<void> {
    if (this.#servers.get(address) === server) this.#servers.delete(address);
    if (server.calls.size > 0 && graceMs > 0) await server.process.timers.sleep(graceMs);
    const stopping = new HoldfastError(
      "unavailable",
      "the server is stopping; try another one or try again in a moment",
    );
    for (const call of [...server.calls]) call.endByServer(stopping);
  }

  /** The other sides notice one delay later; a blocked way tells nobody, then the keepalive does. */
  #loseProcess(process: SimProcess): void {
    for (const [address, server] of [...this.#servers]) if (server.process === process) this.#servers.delete(address);
    for (const call of [...this.#calls]) {
      if (call.client !== process && call.server !== process) continue;
      const source = process.machine.name;
      const target = call.client === process ? call.targetMachine : call.client.machine.name;
      const delayMs = this.#links.isBlocked(source, target) ? keepaliveMs : this.#links.drawDelayMs(source, target);
      this.#world.scheduler.schedule(delayMs, `net lost ${source}>${target}`, () => {
        if (call.client === process) call.loseClient();
        else call.loseServer();
      });
    }
  }
}
