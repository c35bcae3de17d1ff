import { describe, expect, it } from "vitest";
import { type MasterView, RaftChecker } from "./raft-checker.ts";

const view = (changes: Partial<MasterView>): MasterView => ({
  name: "master-1",
  isLeader: false,
  term: 1,
  appliedIndex: 0,
  stateHash: "",
  commitIndex: 0,
  isMember: true,
  startCount: 1,
  ...changes,
});

describe("the checker of masters bites", () => {
  it("at two leaders of one term", () => {
    const checker = new RaftChecker();
    checker.observe(view({ isLeader: true, term: 3 }));
    checker.observe(view({ name: "master-2", isLeader: true, term: 3 }));
    expect(checker.violations).toEqual(["term 3 has two leaders: master-1 and master-2"]);
  });
  it("at two states of one index", () => {
    const checker = new RaftChecker();
    checker.observe(view({ appliedIndex: 5, commitIndex: 5, stateHash: "aa" }));
    checker.observe(view({ name: "master-2", appliedIndex: 5, commitIndex: 5, stateHash: "bb" }));
    expect(checker.violations).toEqual(["at index 5 master-2 has another state than master-1"]);
  });
  it("at cursors that fall while the process lives, and not after a new start", () => {
    const checker = new RaftChecker();
    checker.observe(view({ commitIndex: 9 }));
    checker.observe(view({ commitIndex: 4, startCount: 2 }));
    expect(checker.violations).toEqual([]);
    checker.observe(view({ commitIndex: 3, startCount: 2 }));
    expect(checker.violations).toEqual(["commitIndex of master-1 fell from 4 to 3"]);
  });
  it("at state beyond the commit index, but not of one who lost its log and joins", () => {
    const checker = new RaftChecker();
    for (const isMember of [false, true]) {
      checker.observe(view({ appliedIndex: 7, isMember }));
      checker.observe(view({ appliedIndex: 7, isMember }));
      expect(checker.violations.length).toBe(isMember ? 1 : 0);
    }
  });
});
