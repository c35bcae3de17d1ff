import { describe, expect, it } from "vitest";
import type { Message } from "../../src/core/messages.ts";
import type { LogIndex, PeerId, Term } from "../../src/core/types.ts";
import { exploreProfiles } from "./bounds.ts";
import { Explorer } from "./explorer.ts";
import { canTear, crashNode, foundingNode, stepNode } from "./local-node.ts";
import { StateTable } from "./state-table.ts";

describe("all reachable states of three real cores keep every promise", () => {
  for (const { name, bounds, states } of exploreProfiles.filter(({ isQuick }) => isQuick)) {
    it(`${name}: ${states} states`, { timeout: 60_000 }, () => {
      const report = new Explorer(bounds).run();
      expect(report).toMatchObject({ states, isComplete: true });
    });
  }
});

describe("a crash in the middle of a write order", () => {
  it("leaves a member that is in the term of its last entry and free to vote there", () => {
    const voters = [1, 2, 3] as PeerId[];
    const append: Message = {
      kind: "appendRequest",
      from: 1 as PeerId,
      to: 2 as PeerId,
      term: 4 as Term,
      previous: { term: 0 as Term, index: 0 as LogIndex },
      entries: [{ term: 4 as Term, index: 1 as LogIndex, payload: { kind: "empty" } }],
      commit: 0 as LogIndex,
    };
    const { node } = stepNode(foundingNode(2 as PeerId, true, voters), [{ kind: "receive", message: append }]);
    expect(canTear(node)).toBe(true);
    const torn = crashNode(node, { hasPreVote: true, isTorn: true }).node;
    expect(torn.view).toMatchObject({ term: 4, vote: 0, lastIndex: 1, lastTerm: 4 });
    const whole = crashNode(node, { hasPreVote: true, isTorn: false }).node;
    expect(whole.view).toMatchObject({ term: 0, lastIndex: 0 });
  });
});

describe("the table of states", () => {
  it("keeps every distinct sequence once, and the way to it", () => {
    const table = new StateTable();
    const words = new Int32Array(40);
    const count = 300_000;
    let added = 0;
    for (let number = 0; number < count; number++) {
      words[0] = number;
      words.fill(7, 1);
      if (table.add(words, 1 + (number % 30), { parent: number - 1, action: number * 2 })) added++;
    }
    expect(added).toBe(count);
    words.fill(7, 1);
    words[0] = 12_345;
    expect(table.add(words, 1 + (12_345 % 30), { parent: 0, action: 0 })).toBe(false);
    expect(table.add(words, 2 + (12_345 % 30), { parent: 0, action: 0 })).toBe(true);
    expect(table.count).toBe(count + 1);
    const into = new Int32Array(40);
    expect(table.read(200_017, into)).toBe(1 + (200_017 % 30));
    expect([into[0], into[1]]).toEqual([200_017, 7]);
    expect(table.originOf(200_017)).toEqual({ parent: 200_016, action: 400_034 });
  });
});
