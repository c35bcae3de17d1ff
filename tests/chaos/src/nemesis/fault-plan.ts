import { SeededChance } from "../workload/seeded-chance.ts";

/** Every way of hurting that the suite knows. */
export const faultKinds = [
  "killLeader",
  "killMaster",
  "killNode",
  "killGateway",
  "pauseLeader",
  "pauseMaster",
  "pauseNode",
  "pauseGateway",
  "cutPair",
  "cutOneWay",
  "isolate",
  "isolateLeader",
  "partition",
  "fullDisk",
  "flipBytes",
  "wrongClock",
  "restartEverything",
  "rollingRestart",
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** One fault, decided before it happens. "leader" stands for whoever leads then. */
export interface PlannedFault {
  readonly kind: FaultKind;
  readonly targets: readonly string[];
  /** How long it lasts before it is undone. */
  readonly holdMs: number;
  /** Of the clock; else 0. */
  readonly offsetMs: number;
}

/** Faults that happen at the same time, and the quiet after them. */
export interface FaultStep {
  readonly faults: readonly PlannedFault[];
  readonly quietMs: number;
}

/** What can be hurt. */
export interface FaultWorld {
  readonly masters: readonly string[];
  readonly nodes: readonly string[];
  readonly gateways: readonly string[];
  readonly smallDisks: readonly string[];
  readonly canCut: boolean;
  /** Kinds that are left out. */
  readonly without: readonly FaultKind[];
  readonly holdMsMin: number;
  readonly holdMsMax: number;
  readonly quietMsMax: number;
}

const exclusiveKinds: ReadonlySet<FaultKind> = new Set(["restartEverything", "rollingRestart"]);
const networkKinds: ReadonlySet<FaultKind> = new Set(["cutPair", "cutOneWay", "isolate", "isolateLeader", "partition"]);

/**
 * Faults without end, the same for the same seed: every kind once in a shuffled order, then again in another. About
 * every third step is two faults at once, in different roles, so that a majority of masters and enough copies remain.
 */
export function* planFaults(seed: number, world: FaultWorld): Generator<FaultStep, never> {
  const chance = new SeededChance(seed, "faults");
  for (;;) {
    const kinds = [...chance.shuffle(faultKinds.filter((kind) => isPossible(kind, world)))];
    for (let kind = kinds.shift(); kind !== undefined; kind = kinds.shift()) {
      const faults = [planFault(kind, chance, world)];
      if (!exclusiveKinds.has(kind) && chance.draw() < 0.35) {
        const at = kinds.findIndex((other) => goesWith(kind, other));
        if (at >= 0) faults.push(...kinds.splice(at, 1).map((other) => planFault(other, chance, world)));
      }
      yield { faults, quietMs: chance.between(500, world.quietMsMax) };
    }
  }
}

function isPossible(kind: FaultKind, world: FaultWorld): boolean {
  if (world.without.includes(kind)) return false;
  if (networkKinds.has(kind)) return world.canCut;
  return kind !== "fullDisk" || world.smallDisks.length > 0;
}

/** Two faults in different parts of the cluster; never two of the network, which is healed as a whole. */
function goesWith(kind: FaultKind, other: FaultKind): boolean {
  if (exclusiveKinds.has(kind) || exclusiveKinds.has(other)) return false;
  if (kind === "flipBytes" || other === "flipBytes") return true;
  const [left, right] = [partOf(kind), partOf(other)];
  return left !== right && left !== "any" && right !== "any";
}

function partOf(kind: FaultKind): "masters" | "nodes" | "gateways" | "any" {
  if (kind === "killNode" || kind === "pauseNode") return "nodes";
  if (kind === "killGateway" || kind === "pauseGateway") return "gateways";
  return networkKinds.has(kind) || kind === "fullDisk" || kind === "wrongClock" ? "any" : "masters";
}

function planFault(kind: FaultKind, chance: SeededChance, world: FaultWorld): PlannedFault {
  const { masters, nodes, gateways, smallDisks } = world;
  const everyone = [...masters, ...nodes, ...gateways];
  const holdMs = chance.between(world.holdMsMin, world.holdMsMax);
  const planned = (targets: readonly string[], offsetMs = 0): PlannedFault => ({ kind, targets, holdMs, offsetMs });
  switch (kind) {
    case "killLeader":
    case "pauseLeader":
    case "isolateLeader":
      return planned(["leader"]);
    case "partition":
      // The leader with too few to lead, but with a way in and places to write to.
      return planned(["leader", chance.pick(gateways), ...chance.shuffle(nodes).slice(0, 2)]);
    case "killMaster":
    case "pauseMaster":
      return planned([chance.pick(masters)]);
    case "killNode":
    case "pauseNode":
    case "flipBytes":
      return planned([chance.pick(nodes)]);
    case "killGateway":
    case "pauseGateway":
      return planned([chance.pick(gateways)]);
    case "cutPair":
    case "cutOneWay":
      return planned(chance.shuffle(everyone).slice(0, 2));
    case "isolate":
      return planned([chance.pick(everyone)]);
    case "fullDisk":
      return planned([chance.pick(smallDisks)]);
    case "wrongClock": {
      const sign = chance.draw() < 0.5 ? -1 : 1;
      return planned([chance.pick(everyone)], sign * chance.pick([3_000, 30_000, 600_000, 86_400_000]));
    }
    case "restartEverything":
    case "rollingRestart":
      return planned([]);
  }
}
