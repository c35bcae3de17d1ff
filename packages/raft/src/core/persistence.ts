import { isPlanted } from "@holdfast/base";
import { advanceApplied } from "./apply.ts";
import type { HardState } from "./entries.ts";
import type { Message } from "./messages.ts";
import type { PersistOrder } from "./output.ts";
import { onRepairsStored } from "./log-repair.ts";
import { abandonProposals } from "./proposal-outcome.ts";
import { receive } from "./receive.ts";
import { emptyOutbox, tell, type OpenPersist, type RaftState } from "./state.ts";
import { nobody, type LogIndex } from "./types.ts";

/** What is to be written, and the messages that wait for it. */
export interface TakenPersist {
  readonly persist: PersistOrder;
  readonly sendAfter: readonly { readonly token: number; readonly message: Message }[];
}

/** Everything not yet handed to the disk, in one order; undefined when nothing is to be written or promised. */
export function takePersist(state: RaftState): TakenPersist | undefined {
  const { log, outbox } = state;
  const old = state.persistedHardState;
  const vote = isPlanted("voteNotStored") ? nobody : state.vote;
  const hardState: HardState = { term: state.term, vote, commit: log.committed };
  const isVoteNew = hardState.term !== old.term || hardState.vote !== old.vote;
  const isHardStateNew = isVoteNew || hardState.commit !== old.commit;
  const fromIndex = (log.persisting + 1) as LogIndex;
  const append = log.read({ fromIndex, toIndex: log.lastIndex, bytesMax: Number.POSITIVE_INFINITY }) ?? [];
  const snapshot = log.pendingSnapshot?.isPersisting === false ? log.pendingSnapshot.meta : undefined;
  const waiting = outbox.afterPersist;
  const repair = log.repairs.filter(({ token }) => token === undefined).flatMap(({ entries }) => entries);
  const isLogNew = append.length > 0 || repair.length > 0 || snapshot !== undefined;
  if (!isHardStateNew && !isLogNew && waiting.length === 0) return undefined;

  const token = state.nextToken++;
  const last = log.hasUndurable ? log.last : undefined;
  const isOwnHeld = !state.config.switches.deliverOwnMessages;
  const isOwn = (message: Message): boolean => isOwnHeld && message.to === state.config.id;
  state.openPersists.push({
    token,
    term: state.term,
    last,
    snapshotIndex: snapshot?.index,
    isRepair: repair.length > 0,
    ownMessages: waiting.filter(isOwn),
    givenAtTick: state.tick,
  });
  outbox.afterPersist = [];
  log.persisting = log.lastIndex;
  if (repair.length > 0) log.repairs = log.repairs.map((one) => ({ ...one, token: one.token ?? token }));
  if (snapshot !== undefined) log.pendingSnapshot = { meta: snapshot, isPersisting: true };
  if (isHardStateNew) state.persistedHardState = hardState;
  const persist: PersistOrder = {
    token,
    append,
    mustSync: isLogNew || isVoteNew,
    ...(repair.length === 0 ? {} : { repair }),
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(isHardStateNew ? { hardState } : {}),
    ...(last === undefined && snapshot === undefined
      ? {}
      : { acknowledges: { term: state.term, ...(last === undefined ? {} : { last }) } }),
  };
  return { persist, sendAfter: waiting.filter((message) => !isOwn(message)).map((message) => ({ token, message })) };
}

/** All orders up to `token` are on disk. */
export function onPersisted(state: RaftState, token: number): void {
  let first = state.openPersists[0];
  while (first !== undefined && first.token <= token) {
    state.openPersists.shift();
    acknowledge(state, first);
    first = state.openPersists[0];
  }
}

function acknowledge(state: RaftState, order: OpenPersist): void {
  for (const message of order.ownMessages) receive(state, message);
  // In a later term the same place of the log may have been overwritten and written again: only acknowledgements of
  // orders of the present term count (etcd's "ABA" race of asynchronous storage).
  const isCurrent = order.term === state.term || isPlanted("overwrittenWriteCounts");
  if (order.last !== undefined && isCurrent) state.log.markDurable(order.last);
  if (order.isRepair) onRepairsStored(state, order.token);
  state.log.shrinkWindow(state.config.windowBytesMax);
  if (order.snapshotIndex === undefined) return;
  if (state.log.pendingSnapshot?.meta.index === order.snapshotIndex) state.log.pendingSnapshot = undefined;
  advanceApplied(state, order.snapshotIndex);
}

/** Nothing that was said may be trusted to be on disk: this core takes no part any more. */
export function onPersistFailed(state: RaftState): void {
  abandonProposals(state);
  const { replies } = state.outbox;
  for (const { origin } of state.reads.waiting) if ("ref" in origin) replies.push({ ref: origin.ref, kind: "unknown" });
  for (const origin of state.reads.postponed) if ("ref" in origin) replies.push({ ref: origin.ref, kind: "unknown" });
  for (const { ref } of [...state.reads.forwarded, ...state.transferRefs]) replies.push({ ref, kind: "unknown" });
  const { events } = state.outbox;
  state.outbox = { ...emptyOutbox(), replies, events };
  state.hasFailed = true;
  tell(state, { kind: "diskFailed" });
}
