import type { AppliedBatch, DomainEvent } from "@holdfast/master";
import type { SimMachine, SimWorld } from "@holdfast/runtime/sim";
import type { CopyHarm } from "../faults/fault-injector.ts";
import { copies } from "../world/process-configs.ts";
import { ChunkFiles, chunkIdOf, pathOf } from "./chunk-files.ts";
import { type ChunkFacts, ClusterFacts, orderKey } from "./cluster-facts.ts";

type EventOf<K extends DomainEvent["kind"]> = Extract<DomainEvent, { readonly kind: K }>;

/** What the checker works with. */
export interface CopyCheckerOptions {
  readonly world: SimWorld;
  /** Machines of chunkservers. */
  readonly machines: readonly SimMachine[];
  readonly report: (violation: string) => void;
  /** A copy was damaged on purpose. */
  readonly onDamaged?: (machine: string, chunkId: number) => void;
}

/**
 * Holds every single step against the disks: what is committed must be durable at that moment on as many disks as was
 * promised, a confirmed copy must be there and whole, and no copy leaves its place but by a committed order that left
 * enough others. Knows what was damaged on purpose.
 */
export class CopyChecker implements CopyHarm {
  readonly facts = new ClusterFacts();
  readonly files = new ChunkFiles();
  readonly #options: CopyCheckerOptions;
  readonly #machines: ReadonlyMap<string, SimMachine>;
  /** "machine/chunk" of copies that were damaged on purpose. */
  readonly #damaged = new Set<string>();
  /** Node ids whose disk was taken away. */
  readonly #wiped = new Set<number>();
  readonly #wipedMachines = new Set<string>();
  /** When a copy last came into its place, by "machine/chunk", and was last ordered away, by `orderKey`: virtual ms. */
  readonly #cameAtMs = new Map<string, number>();
  readonly #orderedAtMs = new Map<string, number>();
  #lastIndex = 0;

  constructor(options: CopyCheckerOptions) {
    this.#options = options;
    this.#machines = new Map(options.machines.map((machine) => [machine.name, machine]));
    for (const machine of options.machines) this.#watchDisk(machine);
  }

  /** Takes in what a master folded; every index counts once, when the first master has it. */
  onApplied(batch: AppliedBatch): void {
    if (batch.index <= this.#lastIndex) return;
    this.#lastIndex = batch.index;
    this.facts.fold(batch.events, (event) => this.#check(event));
  }

  rot(machineName: string, position: number): boolean {
    const machine = this.#machines.get(machineName);
    const node = this.facts.nodeOn(machineName);
    if (machine === undefined || node === undefined || this.#wipedMachines.size > 0) return false;
    const candidates = [...this.facts.held()].filter(
      (chunk) =>
        this.files.isDurable(machine, chunk) &&
        !this.#isHarmed(chunk.chunkId) &&
        this.#wholeCopies(chunk).filter((name) => name !== machineName).length > 0,
    );
    const chunk = candidates[Math.floor(position * candidates.length)];
    if (chunk === undefined) return false;
    const path = pathOf(chunk);
    const sizeBytes = machine.disk.data.stat(path)?.sizeBytes ?? 1;
    machine.disk.corrupt(path, Math.floor(((position * 7_919) % 1) * sizeBytes));
    this.#damaged.add(`${machineName}/${chunk.chunkId}`);
    this.#options.onDamaged?.(machineName, chunk.chunkId);
    return true;
  }

  mayWipe(machineName: string): boolean {
    if (this.#wipedMachines.size > 0 || this.#damaged.size > 0) return false;
    return [...this.facts.held()].every(
      (chunk) => this.#wholeCopies(chunk).filter((name) => name !== machineName).length >= copies.durableMin,
    );
  }

  noteWiped(machineName: string): void {
    this.#wipedMachines.add(machineName);
    for (const node of this.facts.nodes.values()) if (node.machine === machineName) this.#wiped.add(node.nodeId);
  }

  noteRemoved(machineName: string): void {
    const node = this.facts.nodeOn(machineName);
    if (node !== undefined) this.#wiped.add(node.nodeId);
    for (const copy of this.#damaged) if (copy.startsWith(`${machineName}/`)) this.#damaged.delete(copy);
  }

  /** What is not as it must be after everything was healed and repaired; `without` is a machine that is gone. */
  flaws(without: string | undefined): readonly string[] {
    const wrong: string[] = [];
    for (const chunk of this.facts.held()) {
      const whole = this.#wholeCopies(chunk).filter((name) => name !== without);
      if (whole.length < copies.wanted)
        wrong.push(`chunk ${chunk.chunkId} is whole on ${whole.join(", ") || "no disk"}`);
    }
    for (const chunk of this.facts.chunks.values()) {
      if (chunk.holder !== undefined) continue;
      const left = [...this.#machines.values()].filter(({ name }) => name !== without);
      for (const machine of left)
        if (this.files.isThere(machine, chunk))
          wrong.push(`chunk ${chunk.chunkId}, which nobody needs, is on ${machine.name}`);
    }
    return wrong;
  }

  /** Machines on which a chunk is durable and whole now. */
  #wholeCopies(chunk: ChunkFacts): readonly string[] {
    return [...this.#machines.values()]
      .filter((machine) => this.files.isDurable(machine, chunk))
      .map((machine) => machine.name);
  }

  #check(event: DomainEvent): void {
    switch (event.kind) {
      case "chunksGranted":
        for (const { chunkId } of event.chunks)
          if (chunkId <= this.facts.grantedMax) this.#report(`chunk id ${chunkId} was given out a second time`);
        return;
      case "chunkPlaced":
        return this.#checkPlaced(event);
      case "replicaConfirmed":
        for (const chunkId of event.chunkIds) this.#checkConfirmed(chunkId, event.nodeId);
        return;
      case "replicaLost":
        // Found out: from now on the copy counts again only when it is whole.
        for (const chunkId of event.chunkIds)
          this.#damaged.delete(`${this.facts.nodes.get(event.nodeId)?.machine ?? ""}/${chunkId}`);
        return;
      case "trimOrdered":
        return this.#checkTrim(event);
      case "replicaTrimmed":
        return this.#checkTrimmed(event);
      case "nodeRemoved":
        return this.#checkRemoved(event);
      default:
    }
  }

  /** The moment before anybody can be told that these bytes are safe. */
  #checkPlaced(event: EventOf<"chunkPlaced">): void {
    const { chunkId } = event;
    if (this.facts.chunks.has(chunkId)) this.#report(`chunk id ${chunkId} was used a second time`);
    const sha256 = Buffer.from(event.sha256).toString("hex");
    const copy = { chunkId, generation: event.generation, lengthBytes: event.lengthBytes, sha256 };
    const durable = event.confirmedNodeIds.filter((nodeId) => this.#isDurableOn(nodeId, copy));
    if (durable.length < copies.durableMin) {
      this.#report(
        `chunk ${chunkId} was committed with ${durable.length} durable copies (said to be on nodes ${event.confirmedNodeIds.join(", ") || "none"})`,
      );
    } else if (durable.length < event.confirmedNodeIds.length) {
      this.#report(
        `chunk ${chunkId} was committed as durable on nodes ${event.confirmedNodeIds.join(", ")} and is on ${durable.join(", ")}`,
      );
    }
  }

  #checkConfirmed(chunkId: number, nodeId: number): void {
    const chunk = this.facts.chunks.get(chunkId);
    if (chunk === undefined) return;
    if (chunk.trims.has(nodeId))
      this.#report(`the copy of chunk ${chunkId} on node ${nodeId} was confirmed although it is ordered away`);
    else if (!this.#isDurableOn(nodeId, chunk))
      this.#report(`the copy of chunk ${chunkId} on node ${nodeId} was confirmed and is not whole on its disk`);
  }

  #checkTrim(event: EventOf<"trimOrdered">): void {
    this.#orderedAtMs.set(orderKey(event.nodeId, event.chunkId), this.#options.world.nowMs());
    const chunk = this.facts.chunks.get(event.chunkId);
    if (chunk?.holder === undefined) return;
    const others = [...chunk.confirmed].filter(
      (nodeId) => nodeId !== event.nodeId && this.facts.nodes.get(nodeId)?.isDown === false,
    );
    if (others.length < copies.wanted) {
      this.#report(
        `chunk ${chunk.chunkId}, which is needed, was ordered away from node ${event.nodeId} while ${others.length} other copies counted`,
      );
    }
    const whole = others.filter((nodeId) => this.#isDurableOn(nodeId, chunk));
    if (whole.length < others.length)
      this.#report(
        `chunk ${chunk.chunkId} was ordered away from node ${event.nodeId} while ${whole.length} others were whole`,
      );
  }

  #checkTrimmed(event: EventOf<"replicaTrimmed">): void {
    const machine = this.#machineOf(event.nodeId);
    if (machine === undefined) return;
    const chunk = this.facts.chunks.get(event.chunkId);
    if (chunk === undefined || !this.files.isThere(machine, chunk)) return;
    // Bytes that were held up on the way come after their removal; the leader hears of them and orders them away again.
    const cameAtMs = this.#cameAtMs.get(`${machine.name}/${event.chunkId}`) ?? 0;
    if (cameAtMs < (this.#orderedAtMs.get(orderKey(event.nodeId, event.chunkId)) ?? Infinity))
      this.#report(`node ${event.nodeId} said that chunk ${event.chunkId} is trimmed, and its file is there`);
  }

  /** Nobody forces a removal here, so a node that goes takes nothing with it that is wanted. */
  #checkRemoved({ nodeId }: EventOf<"nodeRemoved">): void {
    // From now on its copies are written off, whatever its disk still holds.
    this.#wiped.add(nodeId);
    for (const chunk of this.facts.held()) {
      if (!chunk.confirmed.has(nodeId)) continue;
      const others = [...chunk.confirmed].filter((other) => other !== nodeId);
      if (others.length < copies.wanted)
        this.#report(`node ${nodeId} was removed while chunk ${chunk.chunkId} had ${others.length} other copies`);
    }
  }

  /** Damaged on purpose counts as whole: nobody can know. */
  #isDurableOn(nodeId: number, copy: Omit<ChunkFacts, "confirmed" | "trims" | "holder">): boolean {
    const machine = this.#machineOf(nodeId);
    if (machine === undefined) return this.#wiped.has(nodeId);
    return this.#damaged.has(`${machine.name}/${copy.chunkId}`) || this.files.isDurable(machine, copy);
  }

  /** Undefined when its disk was taken away. */
  #machineOf(nodeId: number): SimMachine | undefined {
    if (this.#wiped.has(nodeId)) return undefined;
    return this.#machines.get(this.facts.nodes.get(nodeId)?.machine ?? "");
  }

  /** A copy that was damaged and not yet found out; found out and replaced, it may be damaged again. */
  #isHarmed(chunkId: number): boolean {
    const chunk = this.facts.chunks.get(chunkId);
    return [...this.#machines.values()].some((machine) => {
      if (!this.#damaged.has(`${machine.name}/${chunkId}`)) return false;
      if (chunk === undefined || !this.files.isDurable(machine, chunk)) return true;
      this.#damaged.delete(`${machine.name}/${chunkId}`);
      return false;
    });
  }

  #watchDisk(machine: SimMachine): void {
    machine.disk.data.onMove = (source, target) => {
      const comingId = target === undefined ? undefined : chunkIdOf(target);
      if (comingId !== undefined) this.#cameAtMs.set(`${machine.name}/${comingId}`, this.#options.world.nowMs());
      const chunkId = chunkIdOf(source);
      if (chunkId === undefined) return;
      if (target?.startsWith("/data/trash/") === true) this.#checkTrashed(machine, chunkId, target);
      else if (target?.startsWith("/data/quarantine/") === true) this.#checkQuarantined(machine, chunkId);
      else this.#report(`${machine.name} removed its copy of chunk ${chunkId} for good`);
    };
  }

  /** `<term>-<chunk>` in the trash: only by a committed order of that term. */
  #checkTrashed(machine: SimMachine, chunkId: number, target: string): void {
    const node = this.facts.nodeOn(machine.name);
    if (node === undefined) return this.#report(`${machine.name} dropped chunk ${chunkId} and is no node`);
    const term = Number(target.slice("/data/trash/".length).split("-")[0]);
    const terms = this.facts.ordered.get(orderKey(node.nodeId, chunkId));
    if (terms === undefined)
      this.#report(`${machine.name} dropped its copy of chunk ${chunkId} and nobody had ordered it`);
    else if (!terms.has(term) && term < Math.min(...terms))
      this.#report(
        `${machine.name} dropped its copy of chunk ${chunkId} by an order of term ${term}, before the order was given`,
      );
  }

  #checkQuarantined(machine: SimMachine, chunkId: number): void {
    const chunk = this.facts.chunks.get(chunkId);
    if (chunk?.holder === undefined) return;
    if (this.files.isDurable(machine, chunk))
      this.#report(`${machine.name} put its copy of chunk ${chunkId} aside, and it was whole`);
  }

  #report(violation: string): void {
    this.#options.report(violation);
  }
}
