import type { SeededRandom } from "@holdfast/runtime/sim";

/** One thing that goes wrong, for how long. Machines are meant by name. */
export type Fault =
  /** kill -9 of the machine's process; started again after `durationMs`. */
  | { readonly kind: "kill"; readonly machine: string }
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
  /** The disk takes many times as long. */
  | { readonly kind: "slowDisk"; readonly machine: string; readonly factor: number }
  /** The wall clock jumps. */
  | { readonly kind: "clockJump"; readonly machine: string; readonly byMs: number };

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
  readonly gateways: readonly string[];
}

const kinds = [
  "kill",
  "powerCut",
  "partition",
  "deaf",
  "slowNetwork",
  "breakConnections",
  "stallDisk",
  "slowDisk",
  "clockJump",
] as const;

/**
 * What goes wrong in one run. Every run draws its own mix (swarm testing): some kinds not at all, others often, so that
 * rare combinations come up. At most one power cut takes everything.
 */
export function planFaults(random: SeededRandom, targets: FaultTargets, spanMs: number): readonly PlannedFault[] {
  const weights = kinds.map(() => (random.chance(0.35) ? 0 : random.fraction()));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return [];
  const gapMs = random.between(250, 2_500);
  const faults: PlannedFault[] = [];
  for (let atMs = random.between(100, gapMs); atMs < spanMs; atMs += random.between(50, gapMs * 2)) {
    faults.push({
      atMs,
      durationMs: random.between(50, 3_000),
      fault: drawFault(random, targets, drawKind(random, weights, total)),
    });
  }
  return faults;
}

function drawKind(random: SeededRandom, weights: readonly number[], total: number): (typeof kinds)[number] {
  let rest = random.fraction() * total;
  for (const [index, kind] of kinds.entries()) {
    rest -= weights[index] ?? 0;
    if (rest < 0) return kind;
  }
  return "kill";
}

function drawFault(random: SeededRandom, targets: FaultTargets, kind: (typeof kinds)[number]): Fault {
  const { masters, nodes, gateways } = targets;
  const all = [...masters, ...nodes, ...gateways];
  const pick = (names: readonly string[]): string => names[random.integer(names.length)] ?? "";
  switch (kind) {
    case "kill":
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
      return { kind, machine: pick([...masters, ...nodes]) };
    case "slowDisk":
      return { kind, machine: pick([...masters, ...nodes]), factor: random.between(5, 200) };
    case "clockJump":
      return { kind, machine: pick(all), byMs: random.between(-3_600_000, 3_600_000) };
  }
}
