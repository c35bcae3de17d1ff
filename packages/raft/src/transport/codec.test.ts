import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Entry, EntryId, Payload, SnapshotMeta } from "../core/entries.ts";
import type { Message } from "../core/messages.ts";
import type { LogIndex, PeerId, Term } from "../core/types.ts";
import { decodeMessage, encodeMessage } from "./codec.ts";

const number = fc.oneof(
  fc.nat(),
  fc.maxSafeNat().map((value) => Math.floor(value / 2)),
);
const peer = fc.nat().map((value) => value as PeerId);
const term = number.map((value) => value as Term);
const index = number.map((value) => value as LogIndex);
const id: fc.Arbitrary<EntryId> = fc.record({ term, index });
const peers = fc.array(peer, { maxLength: 5 });
const bytes = fc.uint8Array({ maxLength: 300 });
const change = fc.record({
  version: fc.constantFrom(1 as const, 2 as const),
  transition: fc.constantFrom("auto" as const, "implicit" as const, "explicit" as const),
  steps: fc.array(
    fc.record({
      action: fc.constantFrom("addVoter" as const, "addLearner" as const, "remove" as const, "update" as const),
      peer,
    }),
    { maxLength: 4 },
  ),
  context: bytes,
});
const payload: fc.Arbitrary<Payload> = fc.oneof(
  fc.constant({ kind: "empty" as const }),
  fc.record({ kind: fc.constant("application" as const), data: bytes }),
  fc.record({ kind: fc.constant("configuration" as const), change }),
);
const entry: fc.Arbitrary<Entry> = fc.record({ term, index, payload });
const snapshot: fc.Arbitrary<SnapshotMeta> = fc.record({
  term,
  index,
  membership: fc.record({
    voters: peers,
    votersOutgoing: peers,
    learners: peers,
    learnersNext: peers,
    autoLeave: fc.boolean(),
  }),
});
const header = { from: peer, to: peer, term };
const boolean = fc.boolean();

/** Any message, as the core could make it. */
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    ...header,
    kind: fc.constant("voteRequest" as const),
    isPreVote: boolean,
    isTransfer: boolean,
    last: id,
    commit: id,
  }),
  fc.record({
    ...header,
    kind: fc.constant("voteResponse" as const),
    isPreVote: boolean,
    isRejected: boolean,
    commit: id,
  }),
  fc
    .record({
      ...header,
      kind: fc.constant("appendRequest" as const),
      previous: id,
      commit: index,
      entries: fc.array(entry, { maxLength: 6 }),
    })
    .map((append) => ({
      ...append,
      entries: append.entries.map((item, offset) => ({
        ...item,
        index: (append.previous.index + 1 + offset) as LogIndex,
      })),
    })),
  fc.record({ ...header, kind: fc.constant("appendResponse" as const), index }),
  fc.record({ ...header, kind: fc.constant("appendResponse" as const), index, hint: id }),
  fc.record({ ...header, kind: fc.constant("heartbeatRequest" as const), commit: id, round: number }),
  fc.record({ ...header, kind: fc.constant("heartbeatResponse" as const), round: number }),
  fc.record({ ...header, kind: fc.constant("snapshotRequest" as const), snapshot }),
  fc.record({ ...header, kind: fc.constant("timeoutNow" as const) }),
  fc.record({ ...header, kind: fc.constant("forwardedProposal" as const), entries: fc.array(entry, { maxLength: 6 }) }),
  fc.record({ ...header, kind: fc.constant("forwardedTransfer" as const), target: peer }),
  fc.record({ ...header, kind: fc.constant("readIndexRequest" as const), request: number }),
  fc.record({ ...header, kind: fc.constant("readIndexResponse" as const), request: number, index }),
);

describe("message codec", () => {
  it("gives back every message", () => {
    fc.assert(
      fc.property(message, (sent) => {
        expect(decodeMessage(encodeMessage(sent))).toEqual({ ok: true, value: sent });
      }),
      { numRuns: 1000 },
    );
  });

  it("answers any bytes with a value", () => {
    const hostile = fc.oneof(
      bytes,
      bytes.map((tail) => Uint8Array.of(1, (tail[0] ?? 0) % 14, ...tail)),
    );
    fc.assert(
      fc.property(hostile, (garbage) => {
        expect(typeof decodeMessage(garbage).ok).toBe("boolean");
      }),
      { numRuns: 5000 },
    );
  });

  it("refuses every message that was cut or has one byte too many", () => {
    fc.assert(
      fc.property(message, fc.nat(), (sent, cut) => {
        const whole = encodeMessage(sent);
        expect(decodeMessage(whole.subarray(0, cut % whole.length)).ok).toBe(false);
        expect(decodeMessage(Uint8Array.of(...whole, 0)).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it("survives a changed byte: another message, or a refusal", () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.integer({ min: 1, max: 255 }), (sent, where, flip) => {
        const whole = Uint8Array.from(encodeMessage(sent));
        const at = where % whole.length;
        whole[at] = (whole[at] ?? 0) ^ flip;
        const decoded = decodeMessage(whole);
        if (decoded.ok) expect(decodeMessage(encodeMessage(decoded.value)).ok).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("names the fault", () => {
    expect(decodeMessage(new Uint8Array(0))).toEqual({ ok: false, error: "malformed" });
    expect(decodeMessage(Uint8Array.of(9, 1))).toEqual({ ok: false, error: "unknownVersion" });
    expect(decodeMessage(Uint8Array.of(1, 99))).toEqual({ ok: false, error: "unknownKind" });
    expect(decodeMessage(Uint8Array.of(1, 8, 1, 2))).toEqual({ ok: false, error: "malformed" });
  });

  it("does not believe a count of entries that cannot follow", () => {
    // appendRequest, from 1, to 2, term 3, previous 3/4, commit 4, then "2^49 entries".
    const huge = Uint8Array.of(1, 3, 1, 2, 3, 3, 4, 4, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1);
    expect(decodeMessage(huge)).toEqual({ ok: false, error: "malformed" });
  });
});
