import { assert, exhaustive, isPlanted } from "@holdfast/base";
import { sendFetched, membershipAt } from "./append-sender.ts";
import { applyFetched, onApplied, takeApply } from "./apply.ts";
import { cloneState } from "./clone.ts";
import type { Config, DurableState } from "./config.ts";
import { activateThrough } from "./configuration.ts";
import { digestState } from "./digest.ts";
import { beginElection } from "./election.ts";
import type { Entry } from "./entries.ts";
import type { Input } from "./input.ts";
import type { Message } from "./messages.ts";
import type { Output } from "./output.ts";
import { onPersisted, onPersistFailed, takePersist, type TakenPersist } from "./persistence.ts";
import { resolveProposals } from "./proposal-outcome.ts";
import { onChangeConfiguration, onPropose } from "./proposals.ts";
import type { RaftCore } from "./raft-core.ts";
import { onRead } from "./read-index.ts";
import { receive } from "./receive.ts";
import { onSnapshotSent, onUnreachable } from "./snapshot.ts";
import { createState, emptyOutbox, knownLeader, tell, type RaftState } from "./state.ts";
import { onTick } from "./tick.ts";
import { onTransfer, resolveTransfers } from "./transfer.ts";
import { nobody, type LogIndex, type Random } from "./types.ts";
import { findFault, isChange } from "./validate.ts";
import { viewOf } from "./view.ts";

/** A core that goes on from what the log store found. Every node starts as a follower; `random` is in [0, 1), seeded. */
export function createRaft(config: Config, boot: DurableState, random: Random): RaftCore {
  return coreOf(createState(config, boot, random));
}

function coreOf(state: RaftState): RaftCore {
  return {
    step: (input) => step(state, input),
    drain: () => drain(state),
    view: () => viewOf(state),
    membershipAt: (index) => membershipAt(state, index),
    termAt: (index) => state.log.termAt(index),
    fork: (random) => {
      const copy = cloneState(state);
      if (random !== undefined) copy.random = random;
      return coreOf(copy);
    },
    digest: () => digestState(state),
  };
}

function step(state: RaftState, input: Input): void {
  if (state.hasFailed) {
    refuseWhenFailed(state, input);
    return;
  }
  const committedBefore = state.log.committed;
  take(state, input);
  if (state.hasFailed) return;
  if (state.log.committed !== committedBefore) resolveProposals(state);
  resolveTransfers(state);
  tellChanges(state);
}

function take(state: RaftState, input: Input): void {
  switch (input.kind) {
    case "tick":
      return onTick(state);
    case "receive":
      return onReceive(state, input.message);
    case "propose":
      return onPropose(state, input.proposals);
    case "changeConfiguration":
      assert(isChange(input.change), "a change of the configuration is well formed");
      return onChangeConfiguration(state, input);
    case "read":
      return onRead(state, input);
    case "transfer":
      return onTransfer(state, input);
    case "campaign":
      return beginElection(state, "timeout");
    case "forgetLeader":
      return forgetLeader(state);
    case "persisted":
      return onPersisted(state, input.token);
    case "persistFailed":
      return onPersistFailed(state);
    case "applied":
      return onApplied(state, input.index);
    case "configurationReached":
      return activateThrough(state, input.index);
    case "snapshotAvailable":
      state.snapshotIndex = Math.max(state.snapshotIndex, input.index) as LogIndex;
      return undefined;
    case "fetched":
      return onFetched(state, input);
    case "compact":
      return compact(state, input.throughIndex);
    case "snapshotSent":
      return onSnapshotSent(state, input);
    case "pinElectionTimeout":
      state.randomizedElectionTicks = input.ticks;
      return undefined;
    case "unreachable":
      return onUnreachable(state, input.peer);
    default:
      return exhaustive(input);
  }
}

function onReceive(state: RaftState, message: Message): void {
  const fault = findFault(message, state.config);
  if (fault === undefined) receive(state, message);
  else tell(state, { kind: "inputDropped", reason: fault });
}

/** Reads on a lease rest on the followers' loyalty, so with them a leader may not be forgotten. */
function forgetLeader(state: RaftState): void {
  if (state.role === "follower" && !state.config.switches.leaseReads) state.leader = nobody;
}

function onFetched(
  state: RaftState,
  answer: { readonly ref: number; readonly entries: readonly Entry[] | "compacted" },
): void {
  const position = state.openFetches.findIndex((fetch) => fetch.ref === answer.ref);
  const order = state.openFetches[position];
  if (order === undefined) return;
  state.openFetches.splice(position, 1);
  if (answer.entries !== "compacted" && answer.entries.length === 0) {
    const progress = order.peer === undefined ? undefined : state.progress.get(order.peer);
    // The next answered heartbeat asks again.
    if (progress?.fetchRef === order.ref) progress.fetchRef = 0;
    tell(state, { kind: "inputDropped", reason: `nothing was fetched from ${order.fromIndex} on` });
    return;
  }
  if (order.peer === undefined) applyFetched(state, answer.entries);
  else sendFetched(state, order.peer, { ...answer, fromIndex: order.fromIndex });
}

function compact(state: RaftState, throughIndex: LogIndex): void {
  const { log } = state;
  if (!log.isWhole) return;
  const index = Math.min(throughIndex, log.applied, state.activatedIndex) as LogIndex;
  const term = log.termAt(index);
  const membership = membershipAt(state, index);
  if (index <= log.start.index || term === undefined || membership === undefined) return;
  log.compact({ term, index });
  const later = state.membershipHistory.filter((at) => at.index > index);
  state.membershipHistory = [{ index, membership }, ...later];
  state.outbox.compact = { term, index, membership };
}

/** A failed core answers what still comes, and does nothing else. */
function refuseWhenFailed(state: RaftState, input: Input): void {
  const { replies } = state.outbox;
  if (input.kind === "propose") {
    for (const { ref } of input.proposals) replies.push({ ref, kind: "notLeader", leader: undefined });
  } else if (input.kind === "changeConfiguration" || input.kind === "read" || input.kind === "transfer") {
    replies.push({ ref: input.ref, kind: "notLeader", leader: undefined });
  }
}

function tellChanges(state: RaftState): void {
  const { told } = state;
  if (told.role !== state.role || told.term !== state.term) {
    tell(state, { kind: "roleChanged", role: state.role, term: state.term });
  }
  if (told.leader !== state.leader) {
    tell(state, { kind: "leaderChanged", leader: knownLeader(state), term: state.term });
  }
  told.role = state.role;
  told.term = state.term;
  told.leader = state.leader;
}

function drain(state: RaftState): Output {
  if (state.hasFailed) return takeOutbox(state, undefined, []);
  const taken = takePersist(state);
  const apply = takeApply(state);
  if (state.told.commit !== state.log.committed) {
    state.told.commit = state.log.committed;
    tell(state, { kind: "committed", index: state.log.committed });
  }
  return takeOutbox(state, taken, apply);
}

function takeOutbox(state: RaftState, taken: TakenPersist | undefined, apply: readonly Entry[]): Output {
  const { outbox } = state;
  state.outbox = emptyOutbox();
  const sendAfter = taken?.sendAfter ?? [];
  const isEarly = isPlanted("answerBeforeSync");
  const output: { -readonly [Field in keyof Output]: Output[Field] } = {
    send: isEarly ? [...outbox.messages, ...sendAfter.map(({ message }) => message)] : outbox.messages,
    sendAfter: isEarly ? [] : sendAfter,
    apply: outbox.apply.length === 0 ? apply : [...outbox.apply, ...apply],
    fetch: outbox.fetches,
    replies: outbox.replies,
    events: outbox.events,
  };
  if (taken !== undefined) output.persist = taken.persist;
  if (outbox.compact !== undefined) output.compact = outbox.compact;
  return output;
}
