import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TestCluster } from "../testing/cluster.ts";
import { checkInvariants } from "./invariants.ts";
import type { Input } from "./input.ts";
import type { Message } from "./messages.ts";
import type { LogIndex, PeerId, Term } from "./types.ts";

const number = fc.oneof(
  fc.nat(5),
  fc.constantFrom(-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 2 ** 52, Number.MAX_VALUE),
);
const anything = fc.oneof(number, fc.constantFrom(undefined, null, "x", true, {}, []), fc.bigInt());
const some = <T>(sound: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: sound as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: anything });
const entryId = some(fc.record({ term: some(fc.nat(4)), index: some(fc.nat(6)) }));
const context = fc.constant(new Uint8Array());
const steps = fc.array(
  fc.record({ action: fc.constantFrom("addVoter", "remove", "nonsense"), peer: some(fc.nat(5)) }),
  {
    maxLength: 3,
  },
);
const change = fc.record({
  version: fc.constantFrom(1, 2, 3),
  transition: fc.constantFrom("auto", "explicit"),
  steps,
  context,
});
const payload = fc.oneof(
  fc.constant({ kind: "empty" }),
  fc.constant({ kind: "application", data: new Uint8Array(3) }),
  fc.record({ kind: fc.constant("configuration"), change: some(change) }),
);
const entry = fc.record({ term: some(fc.nat(4)), index: some(fc.nat(6)), payload: some(payload) });
const entries = some(fc.array(entry, { maxLength: 4 }));
const peers = some(fc.array(fc.nat(5), { maxLength: 4 }));
const membership = fc.record({
  voters: peers,
  votersOutgoing: peers,
  learners: peers,
  learnersNext: peers,
  autoLeave: some(fc.boolean()),
});
const snapshot = some(fc.record({ term: some(fc.nat(4)), index: some(fc.nat(6)), membership: some(membership) }));
const kinds: readonly Message["kind"][] = [
  "voteRequest",
  "voteResponse",
  "appendRequest",
  "appendResponse",
  "heartbeatRequest",
  "heartbeatResponse",
  "snapshotRequest",
  "timeoutNow",
  "forwardedProposal",
  "forwardedTransfer",
  "readIndexRequest",
  "readIndexResponse",
];
const message = fc.record({
  kind: some(fc.constantFrom(...kinds)),
  from: some(fc.nat(4)),
  to: some(fc.constant(1)),
  term: some(fc.nat(5)),
  isPreVote: some(fc.boolean()),
  isTransfer: some(fc.boolean()),
  isRejected: some(fc.boolean()),
  last: entryId,
  commit: fc.oneof(entryId, some(fc.nat(6))),
  previous: entryId,
  entries,
  index: some(fc.nat(6)),
  hint: fc.option(entryId, { nil: undefined }),
  round: some(fc.nat(5)),
  snapshot,
  target: some(fc.nat(4)),
  request: some(fc.nat(4)),
});

describe("hostile messages", () => {
  it("of any shape, in any order and any role, throw nothing and break no invariant", () => {
    const order = fc.oneof(
      {
        weight: 8,
        arbitrary: message.map((body): Input => ({ kind: "receive", message: body as unknown as Message })),
      },
      { weight: 1, arbitrary: fc.constantFrom<Input>({ kind: "tick" }, { kind: "campaign" }) },
    );
    fc.assert(
      fc.property(fc.array(order, { maxLength: 40 }), fc.boolean(), (inputs, isLeader) => {
        const cluster = new TestCluster({ peers: 3 });
        if (isLeader) cluster.elect(1);
        const one = cluster.node(1);
        for (const input of inputs) {
          one.core?.step(input);
          checkInvariants(one.view());
          one.core?.digest();
          one.core?.drain();
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("are dropped with a reason", () => {
    const cluster = new TestCluster({ peers: 3 });
    const send = (body: object): void =>
      cluster.step(1, { kind: "receive", message: { from: 2, to: 1, term: 1, ...body } as unknown as Message });
    send({ kind: "nonsense" });
    send({ kind: "constructor" });
    send({ kind: "heartbeatRequest", to: 3 });
    send({ kind: "timeoutNow", term: 0 });
    send({ kind: "appendResponse", index: 2 ** 53 });
    const dropped = cluster.node(1).events.filter((event) => event.kind === "inputDropped");
    expect(dropped).toHaveLength(5);
  });

  it("an append that contradicts a committed entry is not taken", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    cluster.propose(1, "kept");
    cluster.settle();
    cluster.tick(2);
    const before = cluster.node(2).disk.entries;
    const append: Message = {
      kind: "appendRequest",
      from: 3 as PeerId,
      to: 2 as PeerId,
      term: 9 as Term,
      previous: { term: 1 as Term, index: 2 as LogIndex },
      entries: [],
      commit: 99 as LogIndex,
    };
    cluster.step(2, { kind: "receive", message: append });
    expect(cluster.node(2).view().commitIndex).toBe(2);
    const snapshot = { term: 9 as Term, index: 1 as LogIndex, membership: cluster.node(2).view().membership };
    cluster.step(2, { kind: "receive", message: { ...append, kind: "snapshotRequest", snapshot } });
    cluster.settle();
    expect(cluster.node(2).disk.entries).toEqual(before);
  });
});

describe("appends", () => {
  it("commit nothing beyond what they prove to agree", () => {
    const cluster = new TestCluster({ peers: 3 });
    const append = (term: number, index: number, commit: number, count: number): void => {
      const entries = Array.from({ length: count }, (_, place) => ({
        term: term as Term,
        index: (index + place + 1) as LogIndex,
        payload: { kind: "empty" } as const,
      }));
      const previous = { term: (index === 0 ? 0 : 1) as Term, index: index as LogIndex };
      const head = { from: 3 as PeerId, to: 2 as PeerId, term: term as Term, commit: commit as LogIndex };
      cluster.step(2, { kind: "receive", message: { kind: "appendRequest", ...head, previous, entries } });
    };
    append(1, 0, 0, 3);
    // The next leader has other entries from index 2 on, two of them committed; this append proves only index 1.
    append(2, 1, 3, 0);
    expect(cluster.node(2).view()).toMatchObject({ lastIndex: 3, commitIndex: 1 });
  });
});

describe("fork and digest", () => {
  it("a fork is equal, and then goes its own way", () => {
    const cluster = new TestCluster({ peers: 3 });
    cluster.elect(1);
    cluster.propose(1, "x");
    const core = cluster.node(1).core;
    const fork = core?.fork(() => 0.5);
    expect(fork?.digest()).toBe(core?.digest());
    const before = core?.digest();
    fork?.step({ kind: "propose", proposals: [{ ref: 900, data: new Uint8Array(1) }] });
    fork?.step({ kind: "tick" });
    expect(core?.digest()).toBe(before);
    expect(fork?.digest()).not.toBe(before);
    core?.step({ kind: "propose", proposals: [{ ref: 900, data: new Uint8Array(1) }] });
    core?.step({ kind: "tick" });
    expect(fork?.digest()).toBe(core?.digest());
    expect(fork?.drain()).toEqual(core?.drain());
  });
});
