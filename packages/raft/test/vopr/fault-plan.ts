import type { SeededRandom } from "@holdfast/runtime/sim";

/** Everything that can go wrong in a run. Members are numbers from 1; times are virtual ms. */
export const faultKinds = [
  "crash",
  "powerCut",
  "powerCutAll",
  "restart",
  "pause",
  "block",
  "partition",
  "ring",
  "breakConnections",
  "slowLinks",
  "diskStall",
  "slowSync",
  "syncError",
  "diskFull",
  "clockJump",
  "bitRot",
  "misdirectedWrite",
  "wipe",
  "restoreBackup",
  "transfer",
  "removeAndAdd",
  "demoteAndPromote",
  /** Whoever leads is cut off or paused. Only where reads rest on leases, which show nothing but with two leaders. */
  "leaderLost",
] as const;

/** One of them. */
export type FaultKind = (typeof faultKinds)[number];

/** One thing that goes wrong, fixed before the run begins: leaving another one out does not change it. */
export interface Fault {
  /** Place in the whole plan; the name by which a shrunk run keeps it. */
  readonly number: number;
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly member: number;
  readonly other: number;
  /** How long it lasts, where that means something. */
  readonly forMs: number;
  /** In [0, 1), for whatever else is to be drawn. */
  readonly luck: number;
}

/** How a run is made: everything that follows from its seed before it begins. */
export interface VoprPlan {
  readonly seed: number;
  readonly size: number;
  readonly troubleMs: number;
  readonly clients: number;
  readonly keys: number;
  /** Ms between two operations of a client, on average. */
  readonly pauseMs: number;
  /** Mean delay of a link, and how likely a message breaks its connection. */
  readonly delayMs: number;
  readonly breakProbability: number;
  /** Reads rest on leases, and all clocks run within `leaseDriftPercent` of true time. */
  readonly hasLeases: boolean;
  /** Followers answer reads too, for whose index they ask the leader. */
  readonly forwardsReads: boolean;
  /** Speed of each member's clock. */
  readonly clockRates: readonly number[];
  /** Log entries kept behind the state machine: small ones force snapshots. */
  readonly retainedEntries: number;
  readonly faults: readonly Fault[];
  /** Who stays broken for ever in the end, and how. */
  readonly broken: readonly { readonly member: number; readonly how: BrokenKind }[];
}

/** How a member can be broken for ever. */
export type BrokenKind = "dead" | "stalledDisk" | "deaf" | "mute" | "paused";

const brokenKinds: readonly BrokenKind[] = ["dead", "stalledDisk", "deaf", "mute", "paused"];

/** Faults after which a member must be taken back by the group; at most a minority may have one in a run. */
export const damagingKinds: ReadonlySet<FaultKind> = new Set([
  "syncError",
  "bitRot",
  "misdirectedWrite",
  "wipe",
  "restoreBackup",
]);

const churningKinds: ReadonlySet<FaultKind> = new Set(["removeAndAdd", "demoteAndPromote"]);

/** How wrong a clock may be where leases are granted. */
export const leaseDriftPercent = 5;

function drawLeaderLosses(random: SeededRandom, troubleMs: number): Omit<Fault, "number">[] {
  const losses: Omit<Fault, "number">[] = [];
  for (let atMs = 1000; atMs < troubleMs; atMs += random.between(500, 3000)) {
    const fault = { kind: "leaderLost", member: 1, other: 2 } as const;
    losses.push({ ...fault, atMs, forMs: random.between(300, 1500), luck: random.fraction() });
  }
  return losses;
}

function drawRate(random: SeededRandom): number {
  return random.chance(0.7) ? 1 + random.between(-0.0005, 0.0005) : random.between(0.5, 2);
}

/** Often as wrong as it may be. */
function drawLeasedRate(random: SeededRandom): number {
  const drift = leaseDriftPercent / 100;
  return 1 + (random.chance(0.5) ? random.between(-drift, drift) : random.pick([-drift, drift]));
}

/** Draws a run: each kind of fault has its own rate, and about half of them do not occur at all (swarm testing). */
export function drawPlan(random: SeededRandom, seed: number, kinds: readonly FaultKind[]): VoprPlan {
  const size = random.chance(0.3) ? 5 : 3;
  const troubleMs = random.between(4000, 12_000);
  const faults: Omit<Fault, "number">[] = [];
  // A group that was made smaller may not survive a lost directory: a run has the one or the other.
  const excluded = random.chance(0.5) ? damagingKinds : churningKinds;
  for (const kind of kinds) {
    if (kind === "leaderLost") continue;
    const meanMs = random.chance(0.5) || excluded.has(kind) ? 0 : random.between(400, 6000);
    if (meanMs === 0) continue;
    for (let atMs = random.fraction() * 2 * meanMs; atMs < troubleMs; atMs += random.fraction() * 2 * meanMs + 20) {
      const member = 1 + random.integer(size);
      const other = 1 + ((member + random.integer(size - 1)) % size);
      faults.push({ kind, atMs, member, other, forMs: random.between(20, 3000), luck: random.fraction() });
    }
  }
  // From a stream of its own: the rest of a seed's world is the same with leases and without.
  const leases = random.fork("leases");
  const hasLeases = leases.chance(0.4);
  if (hasLeases && kinds.includes("leaderLost")) faults.push(...drawLeaderLosses(leases, troubleMs));
  faults.sort((left, right) => left.atMs - right.atMs);
  const brokenCount = random.integer((size - 1) / 2 + 1);
  const members = Array.from({ length: size }, (_, place) => place + 1);
  const broken = Array.from({ length: brokenCount }, () => {
    const [member] = members.splice(random.integer(members.length), 1);
    return { member: member ?? 1, how: random.pick(brokenKinds) };
  });
  const timing = {
    clients: 2 + random.integer(4),
    keys: 1 + random.integer(3),
    pauseMs: random.between(5, 60),
    delayMs: random.chance(0.5) ? 0.5 : random.between(0.5, 30),
    breakProbability: random.chance(0.6) ? 0 : random.between(0, 0.004),
  };
  const clockRates = Array.from({ length: size }, () => drawRate(random));
  return {
    seed,
    size,
    troubleMs,
    ...timing,
    hasLeases,
    forwardsReads: random.fork("forwarded reads").chance(0.4),
    clockRates: hasLeases ? clockRates.map(() => drawLeasedRate(leases)) : clockRates,
    retainedEntries: random.pick([5, 30, 1000]),
    faults: faults.map((fault, number) => ({ number, ...fault })),
    broken,
  };
}
