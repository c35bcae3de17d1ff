import { broadcastAppend } from "./append-sender.ts";
import { admitPayloads, refuseChange } from "./configuration.ts";
import { payloadBytes, type ConfigurationChange, type Entry, type EntryId, type Payload } from "./entries.ts";
import type { Proposal } from "./input.ts";
import { appendOwn } from "./own-log.ts";
import type { Reply } from "./output.ts";
import { header, knownLeader, send, type RaftState } from "./state.ts";
import { nobody, type LogIndex, type Term } from "./types.ts";

/** Appends as many of the batch as there is room for, in order; the others are `overloaded`. */
export function onPropose(state: RaftState, proposals: readonly Proposal[]): void {
  const blocked = blockedBy(
    state,
    proposals.map(({ data }) => ({ kind: "application", data })),
  );
  if (blocked !== undefined) {
    for (const { ref } of proposals) state.outbox.replies.push({ ref, ...blocked });
    return;
  }
  const admitted = proposals.slice(0, roomFor(state, proposals));
  const firstIndex = state.log.lastIndex + 1;
  const payloads = admitted.map(({ data }): Payload => ({ kind: "application", data }));
  if (admitted.length > 0 && appendOwn(state, payloads)) {
    admitted.forEach(({ ref }, offset) => {
      state.openProposals.push({ ref, term: state.term, index: (firstIndex + offset) as LogIndex });
    });
    broadcastAppend(state);
  }
  for (const { ref } of proposals.slice(admitted.length)) state.outbox.replies.push({ ref, kind: "overloaded" });
}

/** How many of the batch fit into the uncommitted log. When nothing is uncommitted the first one fits at any size. */
function roomFor(state: RaftState, proposals: readonly Proposal[]): number {
  let total = state.uncommittedBytes;
  let count = 0;
  for (const { data } of proposals) {
    const bytes = payloadBytes({ kind: "application", data });
    if (total > 0 && bytes > 0 && total + bytes > state.config.uncommittedBytesMax) break;
    total += bytes;
    count++;
  }
  return count;
}

/** Appends a membership change, or an empty entry in its place when it may not be made now. */
export function onChangeConfiguration(
  state: RaftState,
  order: { readonly ref: number; readonly change: ConfigurationChange },
): void {
  const { ref, change } = order;
  const { replies } = state.outbox;
  const payload: Payload = { kind: "configuration", change };
  const blocked = blockedBy(state, [payload]);
  if (blocked !== undefined) {
    replies.push({ ref, ...blocked });
    return;
  }
  const reason = refuseChange(state, change);
  if (!appendOwn(state, admitPayloads(state, [payload]))) {
    replies.push({ ref, kind: "overloaded" });
    return;
  }
  const id: EntryId = { term: state.term, index: state.log.lastIndex };
  if (reason === undefined) state.openProposals.push({ ref, ...id });
  else replies.push({ ref, kind: "refused", reason });
  broadcastAppend(state);
}

/** Why this node cannot append at all now. A follower may pass the payloads on; their outcome is then not known here. */
function blockedBy(state: RaftState, payloads: readonly Payload[]): Blocked | undefined {
  if (state.role === "leader") {
    if (!state.progress.has(state.config.id)) return { kind: "notLeader", leader: undefined };
    return state.transferee === nobody ? undefined : { kind: "overloaded" };
  }
  if (state.role === "follower" && state.leader !== nobody && state.config.switches.forwardProposals) {
    const entries = payloads.map((payload): Entry => ({ term: 0 as Term, index: 0 as LogIndex, payload }));
    send(state, { ...header(state, state.leader), term: 0 as Term, kind: "forwardedProposal", entries });
    return { kind: "unknown" };
  }
  return { kind: "notLeader", leader: knownLeader(state) };
}

type Blocked = DistributiveOmit<Extract<Reply, { kind: "notLeader" | "overloaded" | "unknown" }>, "ref">;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** A follower passed proposals on. */
export function onForwardedProposal(state: RaftState, forwarded: { readonly entries: readonly Entry[] }): void {
  const payloads = forwarded.entries.map((entry) => entry.payload);
  if (!state.config.switches.forwardProposals) return;
  if (blockedBy(state, payloads) !== undefined || payloads.length === 0) return;
  if (appendOwn(state, admitPayloads(state, payloads))) broadcastAppend(state);
}
