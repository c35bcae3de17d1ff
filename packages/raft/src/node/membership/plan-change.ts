import type { ConfigurationChange, MemberStep } from "../../core/entries.ts";
import type { RaftView } from "../../core/raft-core.ts";
import { membersOf } from "../../core/membership.ts";
import { nobody, type PeerId } from "../../core/types.ts";
import { encodeFacts, type MemberBook, type MemberFact } from "./member-book.ts";

/** What a leader knows when it looks whether the membership needs something. */
export interface MembershipSituation {
  readonly view: RaftView;
  readonly book: MemberBook;
  /** Directories that spoke for members lately. */
  readonly seen: ReadonlyMap<PeerId, string>;
  /** There is still time for members that were not heard of to be registered with the others. */
  readonly isPatient: boolean;
  /** Learners that have caught up. */
  readonly caughtUp: ReadonlySet<PeerId>;
  readonly addressOf: (peer: PeerId) => string;
}

/** The next change that nobody has to ask for; undefined: all is well. */
export function planChange(situation: MembershipSituation): ConfigurationChange | undefined {
  const { view } = situation;
  if (!view.isReadyLeader || view.membership.votersOutgoing.length > 0) return undefined;
  return planReadmission(situation) ?? planRegistration(situation) ?? planPromotion(situation);
}

/** A change with facts about members. */
export function changeOf(steps: readonly MemberStep[], facts: readonly MemberFact[]): ConfigurationChange {
  const version = steps.length === 1 ? 1 : 2;
  return { version, transition: "auto", steps, context: encodeFacts(facts) };
}

/** A member speaks from a directory that the group does not know: what it promised before is forgotten. */
function planReadmission({ view, book, seen, addressOf }: MembershipSituation): ConfigurationChange | undefined {
  for (const peer of membersOf(view.membership)) {
    const known = book.get(peer)?.incarnation ?? "";
    const incarnation = seen.get(peer) ?? "";
    if (peer === view.id || known === "" || incarnation === "" || incarnation === known) continue;
    const isVoter = view.membership.voters.includes(peer);
    // The last voter besides this one would leave a group that cannot bear the loss of anybody; it was lost already.
    const isVoterWanted = isVoter || book.get(peer)?.isVoterWanted === true;
    const replaces = book.get(peer)?.replaces ?? nobody;
    const fact = { peer, address: addressOf(peer), incarnation, isVoterWanted, replaces };
    return changeOf([{ action: "readmit", peer }], [fact]);
  }
  return undefined;
}

/** Members whose directory the log does not know yet: all that were heard of at once. */
function planRegistration(situation: MembershipSituation): ConfigurationChange | undefined {
  const { view, book, seen, isPatient, addressOf } = situation;
  const members = membersOf(view.membership);
  const isKnown = (peer: PeerId): boolean => (book.get(peer)?.incarnation ?? "") !== "";
  const news = members.filter((peer) => !isKnown(peer) && (seen.get(peer) ?? "") !== "");
  const missing = members.filter((peer) => !isKnown(peer) && (seen.get(peer) ?? "") === "");
  const first = news[0];
  if (first === undefined || (isPatient && missing.length > 0)) return undefined;
  const facts = news.map((peer): MemberFact => {
    const known = book.get(peer);
    const wanted = { isVoterWanted: known?.isVoterWanted ?? false, replaces: known?.replaces ?? nobody };
    return { peer, address: addressOf(peer), incarnation: seen.get(peer) ?? "", ...wanted };
  });
  return changeOf([{ action: "update", peer: first }], facts);
}

function planPromotion({ view, book, caughtUp }: MembershipSituation): ConfigurationChange | undefined {
  for (const peer of view.membership.learners) {
    const fact = book.get(peer);
    if (fact?.isVoterWanted !== true || !caughtUp.has(peer)) continue;
    const { replaces } = fact;
    const steps: MemberStep[] = [{ action: "addVoter", peer }];
    if (replaces !== nobody && membersOf(view.membership).includes(replaces))
      steps.push({ action: "remove", peer: replaces });
    return changeOf(steps, []);
  }
  return undefined;
}
