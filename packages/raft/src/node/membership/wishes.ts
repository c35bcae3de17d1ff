import { HoldfastError } from "@holdfast/base";
import type { MembershipWish } from "../../api.ts";
import type { ConfigurationChange, Membership, MemberStep } from "../../core/entries.ts";
import { changeMembership, isJoint, membersOf } from "../../core/membership.ts";
import { nobody, type PeerId } from "../../core/types.ts";
import type { MemberBook, MemberFact } from "./member-book.ts";
import { changeOf } from "./plan-change.ts";

/**
 * Wishes as one change of the present membership: one step alone, several jointly.
 * Errors: `precondition` when a wish is in force already or cannot be.
 */
export function changeOfWishes(
  wishes: readonly MembershipWish[],
  present: { readonly membership: Membership; readonly book: MemberBook },
): ConfigurationChange {
  const { membership, book } = present;
  if (wishes.length === 0) throw refusal("nothing was asked for");
  if (isJoint(membership)) throw refusal("another change is under way");
  const steps: MemberStep[] = [];
  const facts: MemberFact[] = [];
  for (const wish of wishes) {
    const { step, fact } = stepOf(wish, membership, book);
    steps.push(step);
    if (fact !== undefined) facts.push(fact);
  }
  const change = changeOf(steps, facts);
  const outcome = changeMembership(membership, change);
  if (!outcome.ok) throw refusal(outcome.error);
  return change;
}

interface WishedStep {
  readonly step: MemberStep;
  readonly fact?: MemberFact;
}

function stepOf(wish: MembershipWish, membership: Membership, book: MemberBook): WishedStep {
  switch (wish.kind) {
    case "addLearner":
    case "addVoter":
    case "replace": {
      const { id, address } = wish.peer;
      if (membersOf(membership).includes(id)) throw refusal(`member ${id} belongs to the group already`);
      const replaces = wish.kind === "replace" ? wish.remove : nobody;
      if (replaces !== nobody) mustBelong(membership, replaces);
      const isVoterWanted = wish.kind !== "addLearner";
      return {
        step: { action: "addLearner", peer: id },
        fact: { peer: id, address, incarnation: "", isVoterWanted, replaces },
      };
    }
    case "promote":
      mustBelong(membership, wish.id);
      if (membership.voters.includes(wish.id)) throw refusal(`member ${wish.id} has a vote already`);
      return { step: { action: "addVoter", peer: wish.id } };
    case "demote": {
      if (!membership.voters.includes(wish.id)) throw refusal(`member ${wish.id} has no vote`);
      const known = book.get(wish.id);
      const fact = known === undefined ? {} : { fact: { ...known, isVoterWanted: false, replaces: nobody } };
      return { step: { action: "addLearner", peer: wish.id }, ...fact };
    }
    case "remove":
      mustBelong(membership, wish.id);
      return { step: { action: "remove", peer: wish.id } };
  }
}

function mustBelong(membership: Membership, id: PeerId): void {
  if (!membersOf(membership).includes(id)) throw refusal(`member ${id} does not belong to the group`);
}

function refusal(why: string): HoldfastError {
  return new HoldfastError("precondition", `the membership was not changed: ${why}`);
}
