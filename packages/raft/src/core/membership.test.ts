import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emptyMembership, type Membership, type MemberAction, type MemberStep } from "./entries.ts";
import { changeMembership, changeSimply, enterJoint, leaveJoint, membersOf } from "./membership.ts";
import { isVoter } from "./quorum.ts";
import type { PeerId } from "./types.ts";

const founding: Membership = { ...emptyMembership, voters: [1, 2, 3] as PeerId[] };
const action = fc.constantFrom<MemberAction>("addVoter", "addLearner", "remove", "update");
const step = fc.record({ action, peer: fc.integer({ min: 0, max: 6 }).map((id) => id as PeerId) });
const steps = fc.array(step, { maxLength: 8 });

/** One by one, leaving out what cannot be done alone. */
function oneByOne(base: Membership, list: readonly MemberStep[]): Membership {
  let membership = base;
  for (const single of list) {
    const changed = changeSimply(membership, [single]);
    if (changed.ok) membership = changed.value.membership;
  }
  return membership;
}

describe("membership changes", () => {
  it("reach the same by a joint configuration as one by one", () => {
    fc.assert(
      fc.property(steps, (list) => {
        fc.pre(list.every((single, place) => changeSimply(oneByOne(founding, list.slice(0, place)), [single]).ok));
        const joint = enterJoint(founding, { steps: list, autoLeave: false });
        if (!joint.ok) throw new Error(joint.error);
        const left = leaveJoint(joint.value.membership);
        if (!left.ok) throw new Error(left.error);
        expect(left.value.membership).toEqual(oneByOne(founding, list));
      }),
      { numRuns: 1000 },
    );
  });

  it("never leave a group without voters, nor a learner with a vote, nor an unsorted list", () => {
    const transition = fc.constantFrom<"auto" | "implicit" | "explicit">("auto", "implicit", "explicit");
    const changes = fc.array(fc.record({ transition, steps }), { maxLength: 6 });
    fc.assert(
      fc.property(changes, (list) => {
        let membership = founding;
        for (const change of list) {
          const changed = changeMembership(membership, { version: 2, context: new Uint8Array(), ...change });
          if (!changed.ok) continue;
          ({ membership } = changed.value);
          expect(membership.voters.length).toBeGreaterThan(0);
          expect(membership.learners.some((id) => isVoter(membership, id))).toBe(false);
          expect(membership.learnersNext.every((id) => membership.votersOutgoing.includes(id))).toBe(true);
          expect(membership.voters.some((id) => membership.learnersNext.includes(id))).toBe(false);
          for (const ids of [membership.voters, membership.votersOutgoing, membership.learners]) {
            expect([...ids].sort((left, right) => left - right)).toEqual(ids);
          }
          expect(changed.value.newcomers.every((id) => membersOf(membership).includes(id))).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("keep what is known of a member that stays, and begin anew with one that came back", () => {
    const promoted = changeSimply({ ...founding, learners: [4 as PeerId] }, [
      { action: "addVoter", peer: 4 as PeerId },
    ]);
    expect(promoted.ok && promoted.value.newcomers).toEqual([]);
    const steps: MemberStep[] = [
      { action: "remove", peer: 3 as PeerId },
      { action: "addVoter", peer: 3 as PeerId },
    ];
    const returned = changeSimply(founding, steps);
    expect(returned.ok && returned.value).toEqual({ membership: founding, newcomers: [3] });
  });

  it("a demoted voter keeps its vote in the outgoing half, and is a learner after", () => {
    const joint = enterJoint(founding, { steps: [{ action: "addLearner", peer: 1 as PeerId }], autoLeave: true });
    expect(joint.ok && joint.value.membership).toEqual({
      voters: [2, 3],
      votersOutgoing: [1, 2, 3],
      learners: [],
      learnersNext: [1],
      autoLeave: true,
    });
  });
});
