import { isPlanted } from "@holdfast/base";
import type { Entry, EntryId } from "./entries.ts";
import { countOf, type IndexRange } from "./index-ranges.ts";
import type { AppendRequest } from "./messages.ts";
import { changeMembership } from "./membership.ts";
import { header, send, sendAfterPersist, tell, trackMembers, type RaftState } from "./state.ts";
import { unknownTerm } from "./term-runs.ts";
import type { LogIndex, PeerId } from "./types.ts";

/*
 * Protocol-aware recovery (FAST '18) of a follower whose disk lost entries in the middle of its log. What it knows of the
 * rest is kept: it votes by its true last entry, acknowledges nothing behind a lost entry, applies nothing and never
 * campaigns. The leader sends the lost entries again by ordinary appends. They count once the leader's log is seen to
 * agree at the first entry behind them: then, by Log Matching, they are the very entries that were lost. If it disagrees
 * there, what follows was never committed and goes, as in any conflict (§3.5).
 */

/**
 * An append at a log that is not whole. Returns how far the log agrees with the leader's now, or undefined when the append
 * was refused or dropped.
 */
export function appendToHoled(state: RaftState, request: AppendRequest): LogIndex | undefined {
  const { log } = state;
  const { previous, entries } = request;
  const lost = log.missing[0];
  if (lost === undefined || !canBuildOn(state, previous, lost)) return refuse(state, request);
  for (const [position, entry] of entries.entries()) {
    const gap = log.missing[0];
    if (gap !== undefined && entry.index >= gap.from) {
      if (takeBehind(state, gap, entry) === "agrees") continue;
      return replaceFrom(state, request, gap, position);
    }
    if (entry.index <= log.committed || log.holds(entry)) continue;
    log.write(entries.slice(position));
    break;
  }
  const end = (previous.index + entries.length) as LogIndex;
  const rest = log.missing[0];
  return rest === undefined || end < rest.from ? end : refuse(state, request);
}

/** Whether the log agrees with the leader's at `previous`, as far as it is here. */
function canBuildOn(state: RaftState, previous: EntryId, lost: IndexRange): boolean {
  const { log } = state;
  if (previous.index < lost.from) return previous.index < log.committed || log.holds(previous);
  return regainedOf(state).some(({ index, term }) => index === previous.index && term === previous.term);
}

/** What this leader has sent of the first gap, from its beginning on. Another leader's log may be another one there. */
function regainedOf(state: RaftState): readonly Entry[] {
  return state.regained.term === state.term ? state.regained.entries : [];
}

/** An entry in the first gap or just behind it. */
function takeBehind(state: RaftState, gap: IndexRange, entry: Entry): "agrees" | "conflicts" {
  const { log } = state;
  const behindIndex = (gap.to + 1) as LogIndex;
  const isEndLost = gap.to === log.lastIndex;
  if (isPlanted("repairUnverified") && entry.index === gap.to) {
    fill(state, [...regainedOf(state), entry]);
    return "agrees";
  }
  const known = isEndLost ? log.last : { index: behindIndex, term: log.termAt(behindIndex) ?? unknownTerm };
  // Terms never fall along a log: what was lost is of no later term than what follows.
  if (entry.term > known.term || (entry.index === known.index && entry.term !== known.term)) return "conflicts";
  if (entry.index <= gap.to) {
    const before = regainedOf(state).filter(({ index }) => index >= gap.from && index < entry.index);
    state.regained = { term: state.term, entries: [...before, entry] };
  }
  if (entry.index === known.index) fill(state, regainedOf(state));
  return "agrees";
}

function fill(state: RaftState, entries: readonly Entry[]): void {
  state.lostCount += entries.length;
  state.log.fill(entries);
  state.regained = { term: state.term, entries: [] };
}

/**
 * The leader's log is another one than this one somewhere in the gap, or at the entry at `position` just behind it. What
 * is committed agrees, so that goes back to its places; everything after it is the leader's now.
 */
function replaceFrom(
  state: RaftState,
  request: AppendRequest,
  gap: IndexRange,
  position: number,
): LogIndex | undefined {
  const { log } = state;
  const conflict = request.entries[position]?.index ?? gap.from;
  if (conflict <= log.committed) {
    tell(state, { kind: "inputDropped", reason: `append from ${request.from} contradicts a committed entry` });
    return undefined;
  }
  const regained = regainedOf(state).filter(({ index }) => index < conflict);
  const certain = regained.filter(({ index }) => index <= log.committed);
  if (certain.length > 0) fill(state, certain);
  log.write([...regained.slice(certain.length), ...request.entries.slice(position)]);
  state.regained = { term: state.term, entries: [] };
  return log.lastIndex;
}

/** Asks the leader for what follows on what is here; that more was acknowledged once counts no more. */
function refuse(state: RaftState, request: AppendRequest): undefined {
  const { log } = state;
  const { index, term } = request.previous;
  const answer = { ...header(state, request.from), kind: "appendResponse", index } as const;
  const from = log.missing[0]?.from ?? 1;
  if (index < from && index >= log.committed && !log.holds(request.previous)) {
    sendAfterPersist(state, { ...answer, hint: log.findAgreement(index, term) });
    return;
  }
  sendAfterPersist(state, { ...answer, hint: endOfKnown(state), hasLost: true });
}

/** What the leader is to build on: the last entry before the first gap, or what it has sent of that. */
function endOfKnown(state: RaftState): EntryId {
  const { log } = state;
  const last = regainedOf(state).at(-1);
  if (last !== undefined) return { term: last.term, index: last.index };
  const index = ((log.missing[0]?.from ?? 1) - 1) as LogIndex;
  return { term: log.termAt(index) ?? unknownTerm, index };
}

/** A leader that has nothing to send would never hear of it: whoever has lost entries says so when it hears of one. */
export function tellLoss(state: RaftState, leader: PeerId): void {
  if (state.log.missing.length === 0) return;
  const hint = endOfKnown(state);
  send(state, { ...header(state, leader), kind: "appendResponse", index: hint.index, hint, hasLost: true });
}

/** Repairs up to this order are on disk. */
export function onRepairsStored(state: RaftState, token: number): void {
  const { log } = state;
  log.repairs = log.repairs.filter((repair) => (repair.token ?? Infinity) > token);
  if (log.isWhole) deriveAnew(state);
}

/** Nothing is missing any more: what had to be guessed without it is derived anew. */
export function deriveAnew(state: RaftState): void {
  const { log } = state;
  const [start] = state.membershipHistory;
  if (start === undefined) return;
  const history = [start];
  let active = start.membership;
  const configurations = log.configurationEntries(log.start.index, state.activatedIndex);
  for (const { index, payload } of configurations) {
    if (payload.kind !== "configuration") continue;
    const changed = changeMembership(active, payload.change);
    if (!changed.ok) continue;
    active = changed.value.membership;
    history.push({ index, membership: active });
  }
  state.membershipHistory = history;
  state.membership = active;
  trackMembers(state, []);
  tell(state, { kind: "logRepaired", entries: state.lostCount, configurations });
  tell(state, { kind: "configurationChanged", index: state.activatedIndex });
  state.lostCount = 0;
}

/** How many entries are not here, or not on disk again. */
export function missingCount(state: RaftState): number {
  return countOf(state.log.missing) + state.log.repairs.reduce((sum, { entries }) => sum + entries.length, 0);
}
