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

/** Draws a run: each kind of fault has its own rate, and about half of them do not occur at all (swarm testing). */
export function drawPlan(random: SeededRandom, seed: number, kinds: readonly FaultKind[]): VoprPlan {
  const size = random.chance(0.3) ? 5 : 3;
  const troubleMs = random.between(4000, 12_000);
  const faults: Omit<Fault, "number">[] = [];
  // A group that was made smaller may not survive a lost directory: a run has the one or the other.
  const excluded = random.chance(0.5) ? damagingKinds : churningKinds;
  for (const kind of kinds) {
    const meanMs = random.chance(0.5) || excluded.has(kind) ? 0 : random.between(400, 6000);
    if (meanMs === 0) continue;
    for (let atMs = random.fraction() * 2 * meanMs; atMs < troubleMs; atMs += random.fraction() * 2 * meanMs + 20) {
      const member = 1 + random.integer(size);
      const other = 1 + ((member + random.integer(size - 1)) % size);
      faults.push({ kind, atMs, member, other, forMs: random.between(20, 3000), luck: random.fraction() });
    }
  }
  faults.sort((left, right) => left.atMs - right.atMs);
  const brokenCount = random.integer((size - 1) / 2 + 1);
  const members = Array.from({ length: size }, (_, place) => place + 1);
  const broken = Array.from({ length: brokenCount }, () => {
    const [member] = members.splice(random.integer(members.length), 1);
    return { member: member ?? 1, how: random.pick(brokenKinds) };
  });
  return {
    seed,
    size,
    troubleMs,
    clients: 2 + random.integer(4),
    keys: 1 + random.integer(3),
    pauseMs: random.between(5, 60),
    delayMs: random.chance(0.5) ? 0.5 : random.between(0.5, 30),
    breakProbability: random.chance(0.6) ? 0 : random.between(0, 0.004),
    clockRates: Array.from({ length: size }, () =>
      random.chance(0.7) ? 1 + random.between(-0.0005, 0.0005) : random.between(0.5, 2),
    ),
    retainedEntries: random.pick([5, 30, 1000]),
    faults: faults.map((fault, number) => ({ number, ...fault })),
    broken,
  };
}
