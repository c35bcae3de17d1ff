import { ok, refused, type Result } from "@holdfast/base";
import type { ConfigurationChange, Membership, MemberStep } from "./entries.ts";
import { nobody, type PeerId } from "./types.ts";

/** A membership after a change, and whose progress begins anew (members that were not there, or left and came back). */
export interface ChangedMembership {
  readonly membership: Membership;
  readonly newcomers: readonly PeerId[];
}

/** The sets being worked on. */
interface Draft {
  readonly voters: Set<PeerId>;
  readonly outgoing: Set<PeerId>;
  readonly learners: Set<PeerId>;
  readonly learnersNext: Set<PeerId>;
  /** Everybody with a progress, and who of them has it as a learner. */
  readonly tracked: Set<PeerId>;
  readonly newcomers: Set<PeerId>;
}

/** Whether the change, as it stands, orders to leave the joint configuration. */
export function leavesJoint(change: ConfigurationChange): boolean {
  return change.version === 2 && change.transition === "auto" && change.steps.length === 0;
}

/** Whether the configuration is joint. */
export function isJoint(membership: Membership): boolean {
  return membership.votersOutgoing.length > 0;
}

/** Everybody in any list, ascending. */
export function membersOf(membership: Membership): readonly PeerId[] {
  return sorted(new Set([...membership.voters, ...membership.votersOutgoing, ...membership.learners]));
}

/** What a committed change makes of the membership (dissertation §4.1 and §4.3), or why it cannot be made. */
export function changeMembership(base: Membership, change: ConfigurationChange): Result<ChangedMembership, string> {
  if (leavesJoint(change)) return leaveJoint(base);
  if (change.version === 2 && (change.transition !== "auto" || change.steps.length > 1)) {
    return enterJoint(base, { steps: change.steps, autoLeave: change.transition !== "explicit" });
  }
  return changeSimply(base, change.steps);
}

/** Goes into the joint configuration: a majority of both the old and the new voters decides. */
export function enterJoint(
  base: Membership,
  order: { readonly steps: readonly MemberStep[]; readonly autoLeave: boolean },
): Result<ChangedMembership, string> {
  if (isJoint(base)) return refused("config is already joint");
  if (base.voters.length === 0) return refused("can't make a zero-voter config joint");
  if (order.steps.some(({ action }) => action === "readmit")) return refused("a readmission goes alone");
  const draft = draftOf(base);
  for (const id of base.voters) draft.outgoing.add(id);
  applySteps(draft, order.steps);
  if (draft.voters.size === 0) return refused("removed all voters");
  return ok(finish(draft, order.autoLeave));
}

/** Only the new voters decide from here on; outgoing voters that are nothing else are gone. */
export function leaveJoint(base: Membership): Result<ChangedMembership, string> {
  if (!isJoint(base)) return refused("can't leave a non-joint config");
  const draft = draftOf(base);
  for (const id of draft.learnersNext) draft.learners.add(id);
  draft.learnersNext.clear();
  for (const id of draft.outgoing) {
    if (!draft.voters.has(id) && !draft.learners.has(id)) draft.tracked.delete(id);
  }
  draft.outgoing.clear();
  return ok(finish(draft, false));
}

/** Changes at most one voter, without a joint configuration. */
export function changeSimply(base: Membership, steps: readonly MemberStep[]): Result<ChangedMembership, string> {
  if (isJoint(base)) return refused("can't apply simple config change in joint config");
  const draft = draftOf(base);
  applySteps(draft, steps);
  if (draft.voters.size === 0) return refused("removed all voters");
  const added = [...draft.voters].filter((id) => !base.voters.includes(id));
  const removed = base.voters.filter((id) => !draft.voters.has(id));
  if (added.length + removed.length > 1) return refused("more than one voter changed without entering joint config");
  return ok(finish(draft, base.autoLeave));
}

function draftOf(base: Membership): Draft {
  return {
    voters: new Set(base.voters),
    outgoing: new Set(base.votersOutgoing),
    learners: new Set(base.learners),
    learnersNext: new Set(base.learnersNext),
    tracked: new Set(membersOf(base)),
    newcomers: new Set(),
  };
}

function finish(draft: Draft, autoLeave: boolean): ChangedMembership {
  const membership: Membership = {
    voters: sorted(draft.voters),
    votersOutgoing: sorted(draft.outgoing),
    learners: sorted(draft.learners),
    learnersNext: sorted(draft.learnersNext),
    autoLeave,
  };
  return { membership, newcomers: sorted(draft.newcomers).filter((id) => draft.tracked.has(id)) };
}

function applySteps(draft: Draft, steps: readonly MemberStep[]): void {
  for (const { action, peer } of steps) {
    if (peer === nobody) continue;
    if (action === "addVoter") addVoter(draft, peer);
    else if (action === "addLearner") addLearner(draft, peer);
    else if (action === "remove") remove(draft, peer);
    else if (action === "readmit") readmit(draft, peer);
  }
}

function addVoter(draft: Draft, id: PeerId): void {
  track(draft, id);
  draft.learners.delete(id);
  draft.learnersNext.delete(id);
  draft.voters.add(id);
}

/** A voter that the outgoing half still counts becomes a learner only when the joint configuration is left. */
function addLearner(draft: Draft, id: PeerId): void {
  if (draft.learners.has(id)) return;
  track(draft, id);
  draft.voters.delete(id);
  (draft.outgoing.has(id) ? draft.learnersNext : draft.learners).add(id);
}

function remove(draft: Draft, id: PeerId): void {
  draft.voters.delete(id);
  draft.learners.delete(id);
  draft.learnersNext.delete(id);
  if (!draft.outgoing.has(id)) draft.tracked.delete(id);
}

/** What was known of its log is forgotten, too: its progress begins anew. */
function readmit(draft: Draft, id: PeerId): void {
  draft.voters.delete(id);
  draft.learners.add(id);
  draft.tracked.add(id);
  draft.newcomers.add(id);
}

function track(draft: Draft, id: PeerId): void {
  if (draft.tracked.has(id)) return;
  draft.tracked.add(id);
  draft.newcomers.add(id);
}

function sorted(ids: ReadonlySet<PeerId>): readonly PeerId[] {
  return [...ids].sort((left, right) => left - right);
}
