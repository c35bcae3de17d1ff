import { exhaustive } from "@holdfast/base";
import type { SimNetwork } from "@holdfast/rpc/sim";
import type { SimWorld } from "@holdfast/runtime/sim";
import type { Running, SimulatedHost } from "../world/simulated-host.ts";
import { describeFault, type Fault, type FaultKind, type PlannedFault } from "./fault-plan.ts";

/** Harm that needs to know what is where. Each gives false when nothing could be harmed without losing data for good. */
export interface CopyHarm {
  /** Turns a bit of a copy on this machine whose chunk has another whole one. */
  rot(machine: string, position: number): boolean;
  /** Whether everything on this machine is whole elsewhere, so that its disk may go. */
  mayWipe(machine: string): boolean;
  noteWiped(machine: string): void;
  /** The node on this machine is no part of the cluster any more; the next one there is another. */
  noteRemoved(machine: string): void;
}

/** What an administrator does. Failing is no fault: the cluster may be away. */
export interface Steering {
  drain(machine: string): void;
  activate(machine: string): void;
  /** Removes the node once it is empty (calls back), or takes it back into service when that takes too long. */
  removeOrActivate(machine: string, onRemoved: () => void): void;
}

/** What the injector works with. */
export interface FaultInjectorOptions {
  readonly world: SimWorld;
  readonly network: SimNetwork;
  readonly hosts: readonly SimulatedHost<Running>[];
  readonly harm: CopyHarm;
  readonly steering: Steering;
  /** Called when a fault begins and when it ends. */
  readonly onFault?: (what: string, phase: "begins" | "ends", fault: Fault) => void;
}

/** A connection to a process that does not answer its pings is given up after so long. */
const pingTimeoutMs = 5_000;

/** Does to the world what the plan says, and undoes it in time. */
export class FaultInjector {
  /** How often each kind was injected. */
  readonly counts = new Map<FaultKind, number>();
  readonly #options: FaultInjectorOptions;
  readonly #hosts: ReadonlyMap<string, SimulatedHost<Running>>;
  readonly #undo = new Set<() => void>();
  /** The master whose log was damaged: one of them is a minority, two could have been all who know something. */
  #rottenMaster: string | undefined;

  constructor(options: FaultInjectorOptions) {
    this.#options = options;
    this.#hosts = new Map(options.hosts.map((host) => [host.name, host]));
  }

  /** Puts every fault of the plan on the calendar. */
  schedule(plan: readonly PlannedFault[]): void {
    for (const planned of plan) {
      this.#later(planned.atMs, `fault ${planned.fault.kind}`, () => this.#inject(planned));
    }
  }

  /** Ends every fault now: everything runs, everything is connected. */
  healAll(running: readonly SimulatedHost<Running>[]): void {
    for (const undo of [...this.#undo]) undo();
    this.#options.network.heal();
    for (const host of running) host.start();
  }

  #inject({ fault, durationMs }: PlannedFault): void {
    const revert = this.#apply(fault);
    if (revert === undefined) return;
    const what = describeFault(fault);
    this.counts.set(fault.kind, (this.counts.get(fault.kind) ?? 0) + 1);
    this.#options.onFault?.(what, "begins", fault);
    const undo = (): void => {
      if (!this.#undo.delete(undo)) return;
      this.#options.onFault?.(what, "ends", fault);
      revert();
    };
    this.#undo.add(undo);
    this.#later(durationMs, `undo ${fault.kind}`, undo);
  }

  /** Applies it and returns how to undo it; undefined when there was nothing to do. */
  #apply(fault: Fault): (() => void) | undefined {
    const { network, steering } = this.#options;
    switch (fault.kind) {
      case "kill":
        this.#host(fault.machine)?.kill();
        return () => this.#host(fault.machine)?.start();
      case "pause":
        return this.#pause(fault.machine);
      case "powerCut":
        for (const name of fault.machines) this.#host(name)?.powerCut();
        return () => fault.machines.forEach((name) => this.#host(name)?.start());
      case "partition":
        return this.#partition(fault.left, fault.right);
      case "deaf":
        network.block(fault.source, fault.target);
        return () => network.unblock(fault.source, fault.target);
      case "slowNetwork":
        return this.#slowNetwork(fault.machine, fault.delayMs);
      case "breakConnections":
        network.breakConnections(fault.left, fault.right);
        return nothing;
      case "clockJump":
        return this.#clockJump(fault.machine, fault.byMs);
      case "addNode":
        return this.#addNode(fault.machine);
      case "drain":
        steering.drain(fault.machine);
        return () => steering.activate(fault.machine);
      case "removeNode":
        steering.drain(fault.machine);
        return () => steering.removeOrActivate(fault.machine, () => this.#renew(fault.machine));
      case "rotLog":
        return this.#rotLog(fault.machine, fault.position);
      case "stallDisk":
      case "stallSync":
      case "slowDisk":
      case "failSync":
      case "fillDisk":
      case "rot":
      case "replaceDisk":
        return this.#harmDisk(fault);
      default:
        return exhaustive(fault);
    }
  }

  #harmDisk(
    fault: Extract<
      Fault,
      { kind: "stallDisk" | "stallSync" | "slowDisk" | "failSync" | "fillDisk" | "rot" | "replaceDisk" }
    >,
  ): (() => void) | undefined {
    const host = this.#host(fault.machine);
    if (host === undefined) return undefined;
    const { disk } = host.machine;
    switch (fault.kind) {
      case "stallDisk":
        disk.stall();
        return () => disk.resume();
      case "stallSync":
        disk.syncStallMs = fault.byMs;
        return () => void (disk.syncStallMs = 0);
      case "slowDisk":
        disk.slowness = fault.factor;
        return () => void (disk.slowness = 1);
      case "failSync":
        disk.failingSyncCount = 1;
        disk.failsAfterSyncFault = true;
        // The disk is gone until the machine is switched off and on; then it has what it had.
        return () => {
          disk.failingSyncCount = 0;
          disk.failsAfterSyncFault = false;
          disk.isFailed = false;
          host.powerCut();
          host.start();
        };
      case "fillDisk":
        disk.foreignBytes = Math.max(0, disk.freeBytes() - fault.leftBytes);
        return () => void (disk.foreignBytes = 0);
      case "rot":
        return this.#options.harm.rot(fault.machine, fault.position) ? nothing : undefined;
      case "replaceDisk":
        return this.#replaceDisk(host);
      default:
        return exhaustive(fault);
    }
  }

  #pause(machine: string): (() => void) | undefined {
    const host = this.#host(machine);
    if (host?.process === undefined) return undefined;
    const paused = host.process;
    paused.pause();
    this.#later(pingTimeoutMs, `ping ${machine}`, () => {
      if (!paused.isPaused) return;
      for (const other of this.#hosts.keys()) this.#options.network.breakConnections(machine, other);
    });
    return () => paused.resume();
  }

  #partition(left: readonly string[], right: readonly string[]): () => void {
    const { network } = this.#options;
    network.partition(left, right);
    return () => {
      for (const one of left) {
        for (const other of right) {
          network.unblock(one, other);
          network.unblock(other, one);
        }
      }
    };
  }

  #slowNetwork(machine: string, delayMs: number): () => void {
    const set = (range: readonly [number, number]): void => {
      for (const other of this.#hosts.keys()) {
        if (other === machine) continue;
        this.#options.network.setQuality(machine, other, { delayMs: range });
        this.#options.network.setQuality(other, machine, { delayMs: range });
      }
    };
    set([delayMs / 2, delayMs]);
    return () => set([0.05, 0.5]);
  }

  #clockJump(machine: string, byMs: number): () => void {
    const target = this.#host(machine)?.machine;
    if (target !== undefined) target.wallOffsetMs += byMs;
    return nothing;
  }

  #addNode(machine: string): (() => void) | undefined {
    const host = this.#host(machine);
    if (host === undefined || host.startCount > 0) return undefined;
    host.start();
    return nothing;
  }

  #replaceDisk(host: SimulatedHost<Running>): (() => void) | undefined {
    const { harm } = this.#options;
    if (!harm.mayWipe(host.name)) return undefined;
    host.powerCut();
    harm.noteWiped(host.name);
    host.machine.wipe();
    return () => host.start();
  }

  /** The machine of a node that was removed gets an empty disk and joins as somebody else. */
  #renew(machine: string): void {
    const host = this.#host(machine);
    if (host === undefined) return;
    host.powerCut();
    this.#options.harm.noteRemoved(machine);
    host.machine.wipe();
    host.start();
  }

  #rotLog(machine: string, position: number): (() => void) | undefined {
    const host = this.#host(machine);
    if (host === undefined || (this.#rottenMaster ?? machine) !== machine) return undefined;
    const { disk } = host.machine;
    const segments = [...disk.data.files()].filter(([path, { sizeBytes }]) => isLogSegment(path) && sizeBytes > 0);
    const [path, inode] = segments[Math.floor(position * segments.length)] ?? [];
    if (path === undefined || inode === undefined) return undefined;
    this.#rottenMaster = machine;
    host.kill();
    disk.corrupt(path, Math.floor(((position * 7_919) % 1) * inode.sizeBytes));
    return () => host.start();
  }

  #host(name: string): SimulatedHost<Running> | undefined {
    return this.#hosts.get(name);
  }

  #later(delayMs: number, label: string, run: () => void): void {
    this.#options.world.scheduler.schedule(delayMs, label, run);
  }
}

function isLogSegment(path: string): boolean {
  return path.startsWith("/data/raft/log-");
}

/** Undoes what ends by itself or never. */
function nothing(): void {
  return undefined;
}
