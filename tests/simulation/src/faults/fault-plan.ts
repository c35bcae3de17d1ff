import type { SeededRandom } from "@holdfast/runtime/sim";

/** One thing that goes wrong, for how long. Machines are meant by name. */
export type Fault =
  /** kill -9 of the machine's process; started again after `durationMs`. */
  | { readonly kind: "kill"; readonly machine: string }
  /** SIGSTOP, and SIGCONT after `durationMs`. */
  | { readonly kind: "pause"; readonly machine: string }
  /** Power cut: processes die and everything unsynced is lost; started again after `durationMs`. */
  | { readonly kind: "powerCut"; readonly machines: readonly string[] }
  /** Nothing gets through between the two groups. */
  | { readonly kind: "partition"; readonly left: readonly string[]; readonly right: readonly string[] }
  /** Nothing gets from source to target; the other way works. */
  | { readonly kind: "deaf"; readonly source: string; readonly target: string }
  /** Messages of one machine take long. */
  | { readonly kind: "slowNetwork"; readonly machine: string; readonly delayMs: number }
  /** All connections between two machines break. */
  | { readonly kind: "breakConnections"; readonly left: string; readonly right: string }
  /** The disk answers nothing. */
  | { readonly kind: "stallDisk"; readonly machine: string }
  /** Each sync takes so much longer. */
  | { readonly kind: "stallSync"; readonly machine: string; readonly byMs: number }
  /** The disk takes many times as long. */
  | { readonly kind: "slowDisk"; readonly machine: string; readonly factor: number }
  /** The next sync fails and the disk with it; what it should have made durable is lost. Switched off and on at the end. */
  | { readonly kind: "failSync"; readonly machine: string }
  /** Something else takes all the room but this. */
  | { readonly kind: "fillDisk"; readonly machine: string; readonly leftBytes: number }
  /** A bit of a chunk's file turns, where another copy is whole. */
  | { readonly kind: "rot"; readonly machine: string; readonly position: number }
  /** The wall clock jumps. */
  | { readonly kind: "clockJump"; readonly machine: string; readonly byMs: number }
  /** A node is added. */
  | { readonly kind: "addNode"; readonly machine: string }
  /** A node's disk is replaced by an empty one, while no other copy is missing. */
  | { readonly kind: "replaceDisk"; readonly machine: string }
  /** An administrator empties a node, and takes it back into service at the end. */
  | { readonly kind: "drain"; readonly machine: string }
  /** An administrator empties a node and at the end removes it; its machine then joins again as a new node. */
  | { readonly kind: "removeNode"; readonly machine: string }
  /** A bit of a master's log turns while its process is down. */
  | { readonly kind: "rotLog"; readonly machine: string; readonly position: number };

/** The names of all faults. */
export type FaultKind = Fault["kind"];

/** A fault with its time. */
export interface PlannedFault {
  readonly atMs: number;
  readonly durationMs: number;
  readonly fault: Fault;
}

/** Who there is to harm. */
export interface FaultTargets {
  readonly masters: readonly string[];
  readonly nodes: readonly string[];
  /** Nodes that are not there yet. */
  readonly spareNodes: readonly string[];
  readonly gateways: readonly string[];
}

const kinds = [
  "kill",
  "pause",
  "powerCut",
  "partition",
  "deaf",
  "slowNetwork",
  "breakConnections",
  "stallDisk",
  "stallSync",
  "slowDisk",
  "failSync",
  "fillDisk",
  "rot",
  "clockJump",
  "addNode",
  "replaceDisk",
  "drain",
  "removeNode",
  "rotLog",
] as const satisfies readonly FaultKind[];

/** What cannot be undone comes rarely: its weight is multiplied by this. */
const rarity: Partial<Record<FaultKind, number>> = {
  addNode: 0.3,
  replaceDisk: 0.3,
  drain: 0.4,
  removeNode: 0.7,
  rotLog: 0.4,
  failSync: 0.5,
  rot: 2,
};

/**
 * What goes wrong in one run. Every run draws its own mix and its own rate (swarm testing, Groce et al. 2012): some kinds
 * not at all, others often, so that rare combinations come up.
 */
export function planFaults(random: SeededRandom, targets: FaultTargets, spanMs: number): readonly PlannedFault[] {
  const weights = kinds.map((kind) => (random.chance(0.45) ? 0 : random.fraction() * (rarity[kind] ?? 1)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return [];
  const gapMs = random.between(80, 1_500);
  const faults: PlannedFault[] = [];
  for (let atMs = random.between(20, gapMs); atMs < spanMs; atMs += random.between(20, gapMs * 2)) {
    faults.push({
      atMs,
      durationMs: random.chance(0.1) ? random.between(3_000, 8_000) : random.between(50, 2_500),
      fault: drawFault(random, targets, drawKind(random, weights, total)),
    });
  }
  return faults;
}

function drawKind(random: SeededRandom, weights: readonly number[], total: number): FaultKind {
  let rest = random.fraction() * total;
  for (const [index, kind] of kinds.entries()) {
    rest -= weights[index] ?? 0;
    if (rest < 0) return kind;
  }
  return "kill";
}

function drawFault(random: SeededRandom, targets: FaultTargets, kind: FaultKind): Fault {
  const { masters, nodes, spareNodes, gateways } = targets;
  const all = [...masters, ...nodes, ...gateways];
  const withDisk = [...masters, ...nodes];
  const pick = (names: readonly string[]): string => names[random.integer(names.length)] ?? "";
  switch (kind) {
    case "kill":
    case "pause":
      return { kind, machine: pick(all) };
    case "powerCut":
      return { kind, machines: random.chance(0.2) ? all : [pick(all)] };
    case "partition": {
      const left = all.filter(() => random.chance(0.4));
      return { kind, left, right: all.filter((name) => !left.includes(name)) };
    }
    case "deaf":
      return { kind, source: pick(all), target: pick(all) };
    case "slowNetwork":
      return { kind, machine: pick(all), delayMs: random.between(5, 400) };
    case "breakConnections":
      return { kind, left: pick(all), right: pick(all) };
    case "stallDisk":
    case "failSync":
      return { kind, machine: pick(withDisk) };
    case "stallSync":
      return { kind, machine: pick(withDisk), byMs: random.between(200, 4_000) };
    case "slowDisk":
      return { kind, machine: pick(withDisk), factor: random.between(5, 200) };
    case "fillDisk":
      return { kind, machine: pick(withDisk), leftBytes: random.integer(40_000) };
    case "rot":
      return { kind, machine: pick(nodes), position: random.fraction() };
    case "rotLog":
      return { kind, machine: pick(masters), position: random.fraction() };
    case "clockJump":
      return { kind, machine: pick(all), byMs: random.between(-3_600_000, 3_600_000) };
    case "addNode":
      return { kind, machine: pick(spareNodes) };
    case "replaceDisk":
    case "drain":
    case "removeNode":
      return { kind, machine: pick(nodes) };
  }
}

/** A fault in words, for people. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case "powerCut":
      return `powerCut ${fault.machines.join(" ")}`;
    case "partition":
      return `partition ${fault.left.join(" ") || "nobody"} | ${fault.right.join(" ") || "nobody"}`;
    case "deaf":
      return `${fault.target} does not hear ${fault.source}`;
    case "breakConnections":
      return `breakConnections ${fault.left} ${fault.right}`;
    case "slowNetwork":
      return `slowNetwork ${fault.machine} ${Math.round(fault.delayMs)} ms`;
    case "stallSync":
      return `stallSync ${fault.machine} ${Math.round(fault.byMs)} ms`;
    case "slowDisk":
      return `slowDisk ${fault.machine} x${Math.round(fault.factor)}`;
    case "clockJump":
      return `clockJump ${fault.machine} ${Math.round(fault.byMs / 1_000)} s`;
    default:
      return `${fault.kind} ${fault.machine}`;
  }
}

/** The machines that a fault is about. */
export function machinesOf(fault: Fault): readonly string[] {
  switch (fault.kind) {
    case "powerCut":
      return fault.machines;
    case "partition":
      return [...fault.left, ...fault.right];
    case "deaf":
      return [fault.source, fault.target];
    case "breakConnections":
      return [fault.left, fault.right];
    default:
      return [fault.machine];
  }
}
