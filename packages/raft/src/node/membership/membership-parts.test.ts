import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AppendResponse, HeartbeatRequest, VoteResponse } from "../../core/messages.ts";
import type { LogIndex, PeerId, Term } from "../../core/types.ts";
import { decodePosition, encodePosition } from "../../transport/position-codec.ts";
import type { PeerAnswer, PeerHello } from "../../transport/transport.ts";
import { Admission } from "./admission.ts";
import { CatchUp } from "./catch-up.ts";
import { decodeFacts, encodeFacts, MemberBooks, type MemberFact } from "./member-book.ts";
import { MemberDesk } from "./member-desk.ts";
import { changeOf } from "./plan-change.ts";
import { PromiseMemory } from "./promise-memory.ts";

const id = (peer: number): PeerId => peer as PeerId;
const at = (index: number): LogIndex => index as LogIndex;
const noContext = { voters: [id(1)], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
const fact = (peer: number, over: Partial<MemberFact> = {}): MemberFact => ({
  ...{ peer: id(peer), address: `m${peer}:7000`, incarnation: "ab".repeat(16), isVoterWanted: false, replaces: id(0) },
  ...over,
});

describe("Admission", () => {
  const self = { id: id(1), incarnation: "01".repeat(16) };
  const answer = (over: Partial<PeerAnswer>): PeerAnswer => ({
    ...{ incarnation: "00".repeat(16), standing: "member", hasHistory: false, round: 0, cofounders: new Map() },
    ...over,
  });

  it("founds only when everybody is as new, and joins as soon as somebody knows another directory", () => {
    const admission = new Admission(self, [id(2), id(3)]);
    expect(admission.verdict(false)).toBe("wait");
    admission.take(id(2), answer({}));
    expect(admission.verdict(false)).toBe("wait");
    admission.take(id(9), answer({ standing: "stranger" }));
    admission.take(id(3), answer({ standing: undefined }));
    expect(admission.verdict(false), "strangers and the silent do not count").toBe("wait");
    admission.take(id(3), answer({}));
    expect(admission.verdict(false), "each may have answered before the other was there").toBe("wait");
    for (const peer of [2, 3]) admission.take(id(peer), answer({ round: 2 }));
    expect(admission.verdict(false)).toBe("found");
    expect([...admission.cofounders.keys()]).toEqual([2, 3]);
    admission.take(id(2), answer({ round: 2, incarnation: "11".repeat(16) }));
    expect(admission.verdict(false), "another directory").toBe("wait");
    admission.take(id(3), answer({ standing: "stranger" }));
    expect(admission.verdict(false)).toBe("join");
  });

  it("joins when somebody has taken part in a term and nobody vouches, though nobody knows another directory", () => {
    const admission = new Admission(self, [id(2), id(3)]);
    admission.take(id(3), answer({ hasHistory: true }));
    expect(admission.verdict(false), "whoever is away may vouch for it").toBe("wait");
    expect(admission.verdict(true), "there is a leader that takes it in").toBe("join");
    for (const hasHistory of [true, false]) admission.take(id(hasHistory ? 3 : 2), answer({ hasHistory, round: 2 }));
    expect(admission.verdict(false)).toBe("join");
    const alone = new Admission(self, []);
    expect(alone.verdict(false), "who is alone founds").toBe("found");
  });

  it("founds when a founder vouches for its directory, and nobody objects", () => {
    const admission = new Admission(self, [id(2), id(3)]);
    const known = (own: string): ReadonlyMap<PeerId, string> =>
      new Map([
        [id(1), own],
        [id(3), "03"],
      ]);
    admission.take(id(2), answer({ hasHistory: true, cofounders: known("another") }));
    expect(admission.verdict(true)).toBe("join");
    admission.take(id(2), answer({ hasHistory: true, cofounders: known(self.incarnation) }));
    expect(admission.verdict(false)).toBe("found");
    expect([...admission.cofounders]).toEqual([
      [3, "03"],
      [2, "00".repeat(16)],
    ]);
    admission.take(id(3), answer({ standing: "rolledBack" }));
    expect(admission.verdict(false)).toBe("join");
  });

  it("waits for everybody before it founds, for ever: whoever is away may be the only one that knows", () => {
    const admission = new Admission(self, [id(2), id(3)]);
    admission.take(id(2), answer({}));
    expect(admission.verdict(false)).toBe("wait");
  });
});

describe("CatchUp (§4.2.1)", () => {
  it("lets a learner vote after the first round that was over within an election timeout", () => {
    const catchUp = new CatchUp({ electionMs: 300, lastIndex: at(1000), nowMs: 0 });
    expect(catchUp.observe({ matchIndex: at(400), lastIndex: at(1500), nowMs: 100 })).toBe(false);
    expect(catchUp.observe({ matchIndex: at(1000), lastIndex: at(2000), nowMs: 900 }), "a slow round").toBe(false);
    expect(catchUp.observe({ matchIndex: at(1999), lastIndex: at(2100), nowMs: 1000 })).toBe(false);
    expect(catchUp.observe({ matchIndex: at(2000), lastIndex: at(2100), nowMs: 1100 })).toBe(true);
  });

  it("never lets one vote that does not keep up", () => {
    const catchUp = new CatchUp({ electionMs: 300, lastIndex: at(0), nowMs: 0 });
    for (let round = 1; round < 40; round++) {
      const indexes = { matchIndex: at(round * 1000), lastIndex: at(round * 1000 + 1000) };
      expect(catchUp.observe({ ...indexes, nowMs: round * 400 })).toBe(false);
    }
  });
});

describe("PromiseMemory", () => {
  const incarnation = "cd".repeat(16);
  const hello = (term: number, vote: number, index: number, life = ""): PeerHello => ({
    ...{
      incarnation,
      life,
      durableTerm: term as Term,
      durableVote: id(vote),
      durableIndex: at(index),
      isUndecided: false,
      round: 0,
    },
  });
  const header = { from: id(2), to: id(1) };
  const ack = (term: number, index: number): AppendResponse => ({
    ...{ ...header, kind: "appendResponse", term: term as Term, index: at(index) },
  });
  const vote = (term: number, over: Partial<VoteResponse> = {}): VoteResponse => ({
    ...{ ...header, kind: "voteResponse", term: term as Term, isPreVote: false, isRejected: false },
    ...{ commit: { term: 0 as Term, index: at(0) }, ...over },
  });

  it("finds who has less than it acknowledged or voted, and nobody else", () => {
    const memory = new PromiseMemory(id(1));
    expect(memory.hasForgotten(id(2), hello(0, 0, 0)), "nothing was promised").toBe(false);
    memory.note(ack(5, 100), incarnation);
    memory.note(ack(5, 90), incarnation);
    memory.note(vote(6), incarnation);
    memory.note(vote(9, { isPreVote: true }), incarnation);
    memory.note(vote(9, { isRejected: true }), incarnation);
    const stored = memory.takeChanged();
    expect(memory.takeChanged(), "nothing new").toBeUndefined();
    const isBroken = (...state: [number, number, number]): boolean =>
      new PromiseMemory(id(1), stored).hasForgotten(id(2), hello(...state));
    expect(isBroken(5, 0, 100), "an older term than it voted in").toBe(true);
    expect(isBroken(6, 3, 100), "another vote in the same term").toBe(true);
    expect(isBroken(6, 1, 20), "in a later term the tail may have been replaced").toBe(false);
    expect(isBroken(7, 0, 0)).toBe(false);
    const acknowledged = (): PromiseMemory => {
      const fresh = new PromiseMemory(id(1));
      fresh.note(ack(5, 100), incarnation);
      return fresh;
    };
    const judged = [99, 100, 101].map((index) => acknowledged().hasForgotten(id(2), hello(5, 0, index)));
    expect(judged).toEqual([true, false, false]);
    const another = { ...hello(0, 0, 0), incarnation: "ef".repeat(16) };
    expect(acknowledged().hasForgotten(id(2), another), "another directory").toBe(false);
  });

  it("judges every process of a member once: what comes late over an old stream says less than it knows", () => {
    const memory = new PromiseMemory(id(1));
    memory.note(ack(5, 100), incarnation);
    expect(memory.hasForgotten(id(2), hello(5, 0, 100, "aa"))).toBe(false);
    memory.note(ack(6, 120), incarnation);
    expect(memory.hasForgotten(id(2), hello(5, 0, 100, "aa")), "the same process, late").toBe(false);
    expect(memory.hasForgotten(id(2), hello(6, 0, 120, "bb"))).toBe(false);
    expect(memory.hasForgotten(id(2), hello(5, 0, 100, "aa")), "the process before, later still").toBe(false);
    expect(memory.hasForgotten(id(2), hello(5, 0, 100, "cc")), "a new process with an old copy").toBe(true);
    expect(memory.hasForgotten(id(2), hello(7, 0, 130, "cc")), "it does not remember by getting further").toBe(true);
    const again = new PromiseMemory(id(1), memory.takeChanged());
    expect(again.hasForgotten(id(2), hello(6, 0, 119, "dd")), "the witness's next process knows too").toBe(true);
    expect(again.hasForgotten(id(2), hello(6, 0, 120, "ee"))).toBe(false);
  });

  it("takes a leader's word for what it has on disk: it acknowledges to nobody else", () => {
    const memory = new PromiseMemory(id(1));
    memory.noteHeld(id(2), incarnation, { term: 4 as Term, index: at(50) });
    memory.noteHeld(id(2), incarnation, { term: 4 as Term, index: at(40) });
    expect(memory.hasForgotten(id(2), hello(4, 2, 49, "aa"))).toBe(true);
    expect(memory.hasForgotten(id(2), hello(4, 2, 50, "bb"))).toBe(false);
  });

  it("knows by anything that a leader sends that its term was on disk, and that this is to be kept at once", () => {
    const heartbeat = (term: number): HeartbeatRequest => ({
      ...{ ...header, kind: "heartbeatRequest", term: term as Term, round: 1 },
      commit: { term: 0 as Term, index: at(0) },
    });
    const memory = new PromiseMemory(id(1));
    memory.note(heartbeat(3), incarnation);
    expect(memory.isUrgent).toBe(true);
    const again = new PromiseMemory(id(1), memory.takeChanged());
    expect(again.hasForgotten(id(2), hello(2, 0, 900, "aa"))).toBe(true);
    expect(again.hasForgotten(id(2), hello(3, 2, 0, "bb"))).toBe(false);
    memory.note(heartbeat(3), incarnation);
    memory.noteHeld(id(2), incarnation, { term: 3 as Term, index: at(8) });
    expect(memory.isUrgent, "of a term that is known already").toBe(false);
  });

  it("remembers with whom the group was founded, by directory", () => {
    const memory = new PromiseMemory(id(1));
    memory.noteCofounder(id(2), incarnation);
    const stored = memory.takeChanged();
    const again = new PromiseMemory(id(1), stored);
    expect([...again.cofounders]).toEqual([[2, incarnation]]);
    again.note(ack(5, 100), "ef".repeat(16));
    expect(again.cofounders.size, "another directory took its place").toBe(0);
    expect(new PromiseMemory(id(1), stored).hasForgotten(id(2), hello(0, 0, 0))).toBe(false);
  });

  it("takes bytes that it did not write for nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (garbage) => {
        expect(new PromiseMemory(id(1), garbage).takeChanged()).toBeUndefined();
      }),
    );
  });
});

describe("member desk", () => {
  it("takes addresses as configured now, and from the log what the configuration does not name", () => {
    const context = encodeFacts([fact(1), fact(2), fact(4), fact(5, { address: "" })]);
    const logStart = { index: at(10), term: 1 as Term, membership: noContext, context };
    const [self, moved] = [1, 2].map((peer) => ({ id: id(peer), address: `elsewhere-${peer}:7000` }));
    if (self === undefined || moved === undefined) throw new Error("there are two");
    const boot = { logStart, configurationEntries: [] } as unknown as ConstructorParameters<
      typeof MemberDesk
    >[0]["boot"];
    const desk = new MemberDesk({ self, configured: [self, moved], boot, appliedIndex: at(10), promises: undefined });
    expect([1, 2, 3, 4, 5].map((peer) => desk.addressOf(id(peer)))).toEqual([
      ...["elsewhere-1:7000", "elsewhere-2:7000", undefined, "m4:7000", undefined],
    ]);
    expect(desk.peers(noContext)).toEqual([moved, { id: 4, address: "m4:7000" }]);
  });
});

describe("member books", () => {
  it("follow the log's start and configuration entries, at every index", () => {
    const start = { index: at(10), term: 1 as Term, membership: noContext, context: encodeFacts([fact(1)]) };
    const books = new MemberBooks(start);
    const entry = (index: number, change: ReturnType<typeof changeOf>) =>
      ({ index: at(index), term: 1 as Term, payload: { kind: "configuration", change } }) as const;
    const wanted = fact(4, { isVoterWanted: true, replaces: id(1) });
    expect(books.take(entry(12, changeOf([{ action: "addLearner", peer: id(4) }], [wanted])))).toBe(true);
    expect(books.take(entry(12, changeOf([{ action: "remove", peer: id(4) }], [])))).toBe(false);
    const steps = [{ action: "addVoter", peer: id(4) } as const, { action: "remove", peer: id(1) } as const];
    books.take(entry(15, changeOf(steps, [])));
    expect([...books.at(at(11)).keys()]).toEqual([1]);
    expect(books.at(at(14)).get(id(4))).toEqual(wanted);
    expect([...books.current.values()]).toEqual([fact(4)]);
    const compacted = books.compact({ index: at(14), term: 1 as Term, membership: noContext });
    expect(decodeFacts(compacted.context ?? new Uint8Array())).toEqual([fact(1), wanted]);
    expect(decodePosition(encodePosition(compacted))).toEqual(compacted);
    expect([...books.current.keys()]).toEqual([4]);
    books.restart(start);
    expect([...books.current.keys()]).toEqual([1]);
  });

  it("survive their encoding; other bytes are no facts and throw nothing", () => {
    const facts = fc.uniqueArray(
      fc.record({
        peer: fc.integer({ min: 1, max: 255 }).map(id),
        address: fc.string({ maxLength: 30 }),
        incarnation: fc.constantFrom("", "0f".repeat(16)),
        isVoterWanted: fc.boolean(),
        replaces: fc.integer({ min: 0, max: 255 }).map(id),
      }),
      { selector: ({ peer }) => peer, maxLength: 9 },
    );
    fc.assert(
      fc.property(facts, (list) => {
        expect(decodeFacts(encodeFacts(list))).toEqual(list.toSorted((left, right) => left.peer - right.peer));
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (garbage) => {
        expect(Array.isArray(decodeFacts(garbage))).toBe(true);
        const position = decodePosition(garbage);
        expect(position === undefined || Number.isInteger(position.index)).toBe(true);
      }),
    );
  });
});
