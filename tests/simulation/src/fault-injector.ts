import type { SimNetwork } from "@holdfast/rpc/sim";
import type { SimWorld } from "@holdfast/runtime/sim";
import type { Fault, PlannedFault } from "./fault-plan.ts";
import type { Running, SimulatedHost } from "./simulated-host.ts";

/** Does to the world what the plan says, and undoes it in time. */
export class FaultInjector {
  /** How often each kind was injected. */
  readonly counts = new Map<Fault["kind"], number>();
  readonly #world: SimWorld;
  readonly #network: SimNetwork;
  readonly #hosts: ReadonlyMap<string, SimulatedHost<Running>>;
  readonly #undo = new Set<() => void>();

  constructor(world: SimWorld, network: SimNetwork, hosts: readonly SimulatedHost<Running>[]) {
    this.#world = world;
    this.#network = network;
    this.#hosts = new Map(hosts.map((host) => [host.name, host]));
  }

  /** Puts every fault of the plan on the calendar. */
  schedule(plan: readonly PlannedFault[]): void {
    for (const planned of plan) {
      this.#world.scheduler.schedule(planned.atMs, `fault ${planned.fault.kind}`, () => this.#inject(planned));
    }
  }

  /** Ends every fault now: everything runs, everything is connected. */
  healAll(): void {
    for (const undo of [...this.#undo]) undo();
    this.#network.heal();
    for (const host of this.#hosts.values()) host.start();
  }

  #inject({ fault, durationMs }: PlannedFault): void {
    this.counts.set(fault.kind, (this.counts.get(fault.kind) ?? 0) + 1);
    const revert = this.#apply(fault);
    const undo = (): void => {
      if (this.#undo.delete(undo)) revert();
    };
    this.#undo.add(undo);
    this.#world.scheduler.schedule(durationMs, `undo ${fault.kind}`, undo);
  }

  /** Applies it and returns how to undo it. */
  #apply(fault: Fault): () => void {
    const host = (name: string): SimulatedHost<Running> | undefined => this.#hosts.get(name);
    switch (fault.kind) {
      case "kill":
        host(fault.machine)?.kill();
        return () => host(fault.machine)?.start();
      case "powerCut":
        for (const name of fault.machines) host(name)?.powerCut();
        return () => fault.machines.forEach((name) => host(name)?.start());
      case "partition":
        this.#network.partition(fault.left, fault.right);
        return () => {
          for (const left of fault.left) {
            for (const right of fault.right) {
              this.#network.unblock(left, right);
              this.#network.unblock(right, left);
            }
          }
        };
      case "deaf":
        this.#network.block(fault.source, fault.target);
        return () => this.#network.unblock(fault.source, fault.target);
      case "slowNetwork":
        return this.#slowNetwork(fault.machine, fault.delayMs);
      case "breakConnections":
        this.#network.breakConnections(fault.left, fault.right);
        return () => undefined;
      case "stallDisk":
        host(fault.machine)?.machine.disk.stall();
        return () => host(fault.machine)?.machine.disk.resume();
      case "slowDisk":
        return this.#slowDisk(fault.machine, fault.factor);
      case "clockJump":
        return this.#clockJump(fault.machine, fault.byMs);
    }
  }

  #slowNetwork(machine: string, delayMs: number): () => void {
    const set = (range: readonly [number, number]): void => {
      for (const other of this.#hosts.keys()) {
        if (other === machine) continue;
        this.#network.setQuality(machine, other, { delayMs: range });
        this.#network.setQuality(other, machine, { delayMs: range });
      }
    };
    set([delayMs / 2, delayMs]);
    return () => set([0.05, 0.5]);
  }

  #slowDisk(machine: string, factor: number): () => void {
    const disk = this.#hosts.get(machine)?.machine.disk;
    if (disk === undefined) return () => undefined;
    disk.slowness = factor;
    return () => {
      disk.slowness = 1;
    };
  }

  #clockJump(machine: string, byMs: number): () => void {
    const target = this.#hosts.get(machine)?.machine;
    if (target !== undefined) target.wallOffsetMs += byMs;
    return () => undefined;
  }
}
