import { HoldfastError } from "@holdfast/base";

/** One number that may be set: its meaning is data, so that flags, checks and help come from one place. */
export interface Setting {
  readonly defaultValue: number;
  readonly minimum: number;
  readonly maximum: number;
  /** For people. */
  readonly help: string;
}

/** Every number that shapes a node. Times in ms unless the name says ticks; sizes in bytes. */
export const raftSettings = {
  tickMs: { defaultValue: 25, minimum: 1, maximum: 10_000, help: "How often the core hears that time passed." },
  heartbeatTicks: {
    defaultValue: 4,
    minimum: 1,
    maximum: 100,
    help: "A leader sends a heartbeat every so many ticks.",
  },
  electionTicksMin: {
    defaultValue: 12,
    minimum: 2,
    maximum: 1000,
    help: "Shortest silence after which a follower campaigns; the longest is twice this.",
  },
  messageBytesMax: {
    defaultValue: 1 << 20,
    minimum: 1024,
    maximum: 16 << 20,
    help: "Entries of one append message hold at most so many bytes (one larger entry goes alone).",
  },
  // One: what is proposed while an append is under way gathers into the next, so that followers sync and answer once for
  // many entries. With 16 clients that took a seventh off a follower's CPU per entry, and cost no throughput.
  inflightMessagesMax: {
    defaultValue: 1,
    minimum: 1,
    maximum: 65_536,
    help: "Append messages sent to a peer and not answered.",
  },
  inflightBytesMax: {
    defaultValue: 16 << 20,
    minimum: 1024,
    maximum: 1 << 30,
    help: "Bytes of entries sent to a peer and not answered.",
  },
  uncommittedBytesMax: {
    defaultValue: 64 << 20,
    minimum: 1024,
    maximum: 1 << 30,
    help: "Proposals beyond this much uncommitted log end as overloaded.",
  },
  entryBytesMax: {
    defaultValue: 8 << 20,
    minimum: 1,
    maximum: 32 << 20,
    help: "A larger proposal is a bug of the caller.",
  },
  recentBytesMax: {
    defaultValue: 16 << 20,
    minimum: 1024,
    maximum: 1 << 30,
    help: "Newest entries kept in memory for followers; older ones are read from the log.",
  },
  applyBatchEntriesMax: {
    defaultValue: 1024,
    minimum: 1,
    maximum: 1 << 20,
    help: "Entries handed to the state machine in one call.",
  },
  applyBatchBytesMax: {
    defaultValue: 4 << 20,
    minimum: 1,
    maximum: 1 << 30,
    help: "Bytes of entries handed to the state machine in one call.",
  },
  segmentBytesMax: {
    defaultValue: 64 << 20,
    minimum: 4096,
    maximum: 1 << 30,
    help: "The log starts a new file beyond this size.",
  },
  retainedEntriesMin: {
    defaultValue: 20_000,
    minimum: 1,
    maximum: 1e9,
    help: "Applied entries kept in the log behind the applied index, even when every member has them.",
  },
  laggingEntriesMax: {
    defaultValue: 200_000,
    minimum: 1,
    maximum: 1e9,
    help: "Applied entries kept for a member that lags; one that lags more is sent a snapshot.",
  },
  snapshotStallMs: {
    defaultValue: 10_000,
    minimum: 10,
    maximum: 600_000,
    help: "A snapshot stream on which nothing moves for so long is given up; the next one goes on where it broke.",
  },
  snapshotRetryMs: {
    defaultValue: 500,
    minimum: 10,
    maximum: 600_000,
    help: "Wait before a broken snapshot stream is made again.",
  },
  snapshotKeptMs: {
    defaultValue: 120_000,
    minimum: 10,
    maximum: 3_600_000,
    help: "A frozen or half received state that no stream needs is kept for so long.",
  },
  compactionCheckMs: {
    defaultValue: 10_000,
    minimum: 10,
    maximum: 3_600_000,
    help: "How often the node looks whether the log can be shortened.",
  },
  diskSlowMs: {
    defaultValue: 2000,
    minimum: 10,
    maximum: 600_000,
    help: "A leader whose oldest fsync has waited longer steps down.",
  },
  loopStallMs: {
    defaultValue: 500,
    minimum: 10,
    maximum: 600_000,
    help: "A tick later than this is reported as a stall of the process.",
  },
  peerQueueMessagesMax: {
    defaultValue: 4096,
    minimum: 16,
    maximum: 1 << 20,
    help: "Messages waiting for one peer; the oldest are dropped beyond it.",
  },
  peerQueueBytesMax: {
    defaultValue: 64 << 20,
    minimum: 1024,
    maximum: 1 << 30,
    help: "Bytes waiting for one peer; the oldest are dropped beyond it.",
  },
  reconnectMsMin: {
    defaultValue: 50,
    minimum: 1,
    maximum: 60_000,
    help: "First wait before a broken peer stream is made again; doubles each time.",
  },
  reconnectMsMax: {
    defaultValue: 1000,
    minimum: 1,
    maximum: 600_000,
    help: "Longest wait before a broken peer stream is made again.",
  },
  leaseDriftPercent: {
    defaultValue: 0,
    minimum: 0,
    maximum: 20,
    help: "Reads may rest on leases, if no member's clock runs faster or slower than true time by more; 0: no leases. The same on all members.",
  },
  forwardedReads: {
    defaultValue: 0,
    minimum: 0,
    maximum: 1,
    help: "1: a follower asks the leader for the index of a read and answers it itself; 0: it names the leader.",
  },
  readTimeoutMs: {
    defaultValue: 2000,
    minimum: 10,
    maximum: 600_000,
    help: "A linearizable read that no quorum confirmed by then ends with `deadline`.",
  },
} as const satisfies Record<string, Setting>;

/** A value for every setting of `raftSettings`. */
export type RaftSettings = { readonly [Name in keyof typeof raftSettings]: number };

/** The defaults with what differs. Errors: `precondition` naming every value that is out of its range. */
export function resolveSettings(given: Partial<RaftSettings> = {}): RaftSettings {
  const faults: string[] = [];
  const resolved = Object.entries(raftSettings).map(([name, setting]: [string, Setting]) => {
    const value = given[name as keyof RaftSettings] ?? setting.defaultValue;
    if (!(value >= setting.minimum && value <= setting.maximum))
      faults.push(`${name} = ${value} (allowed: ${setting.minimum} to ${setting.maximum})`);
    return [name, value] as const;
  });
  if (faults.length > 0)
    throw new HoldfastError(
      "precondition",
      `Raft settings are out of range: ${faults.join("; ")}. Correct the configuration`,
    );
  return Object.fromEntries(resolved) as RaftSettings;
}
