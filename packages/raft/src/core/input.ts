import type { ConfigurationChange, Entry } from "./entries.ts";
import type { Message } from "./messages.ts";
import type { LogIndex, PeerId } from "./types.ts";

/** One application command; `ref` is the host's own number, unused before, answered exactly once in `Output.replies`. */
export interface Proposal {
  readonly ref: number;
  readonly data: Uint8Array;
}

/**
 * How a read is known to be fresh. `round`: a majority answered the leader after the read was asked for. `lease`: none of a
 * majority that answered a little earlier can have elected another leader yet, by this node's clock (dissertation §6.4.1);
 * if that is not sure, as `round`. Leases are granted only if `leaseDriftPercent` is set, on all members alike, and true of
 * their clocks.
 */
export type ReadMode = "round" | "lease";

/** Everything the core can be told. Steps are synchronous and never throw on what peers or clients sent. */
export type Input =
  /** Time passes; the host calls it at a steady rate. Timeouts in `Config` count these. */
  | { readonly kind: "tick" }
  /** A message of a peer. One that makes no sense is dropped and counted by an event. */
  | { readonly kind: "receive"; readonly message: Message }
  /** Appends if this node leads, all in one go (a batch makes one round of messages). Commit order is input order. */
  | { readonly kind: "propose"; readonly proposals: readonly Proposal[] }
  /** Appends a membership change if this node leads and no other is under way. */
  | { readonly kind: "changeConfiguration"; readonly ref: number; readonly change: ConfigurationChange }
  /** Asks for an index to read at (§6.4): `safe` by a round of heartbeats, `lease` from an unexpired lease, else by a round. */
  | { readonly kind: "read"; readonly ref: number; readonly mode: ReadMode }
  /** Hands leadership over (§3.10). */
  | { readonly kind: "transfer"; readonly ref: number; readonly to: PeerId }
  /** Starts an election now. */
  | { readonly kind: "campaign" }
  /** A follower forgets its leader, so that it may grant pre-votes at once. */
  | { readonly kind: "forgetLeader" }
  /** The persist order with this token, and all before it, are durable. Tokens complete in order; a repeat does nothing. */
  | { readonly kind: "persisted"; readonly token: number }
  /** The disk failed. The core falls silent for ever: nothing it said may be trusted to be on disk. */
  | { readonly kind: "persistFailed"; readonly token: number }
  /** The state machine has everything up to here. Configuration entries up to here take effect if they have not yet. */
  | { readonly kind: "applied"; readonly index: LogIndex }
  /** Optional: the apply loop stands at this configuration entry; it takes effect now, before `applied`. */
  | { readonly kind: "configurationReached"; readonly index: LogIndex }
  /** Optional: a snapshot at this applied index can be streamed, before `applied` says so. */
  | { readonly kind: "snapshotAvailable"; readonly index: LogIndex }
  /** Answers `Output.fetch`: entries from its `fromIndex` on (at least one), or none because the log no longer has them. */
  | { readonly kind: "fetched"; readonly ref: number; readonly entries: readonly Entry[] | "compacted" }
  /** The log up to here (at most the applied index) may go; the core answers with `Output.compact`. */
  | { readonly kind: "compact"; readonly throughIndex: LogIndex }
  /** A snapshot stream to this peer ended. Not ok: it will be probed and may be sent one again. */
  | { readonly kind: "snapshotSent"; readonly peer: PeerId; readonly isOk: boolean }
  /** For replay harnesses: the present random election timeout becomes this one, until the next is drawn. */
  | { readonly kind: "pinElectionTimeout"; readonly ticks: number }
  /** The last message to this peer did not get through. */
  | { readonly kind: "unreachable"; readonly peer: PeerId };
