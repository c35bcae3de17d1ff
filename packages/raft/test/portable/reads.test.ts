import { describe, expect, it } from "vitest";
import type { Config } from "../../src/core/config.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { SingleCore } from "./single-core.ts";

/** The reads of etcd's raft_test; names in brackets. */

const forwarding = (base: Config): Config => ({ ...base, switches: { ...base.switches, forwardReads: true } });

describe("reads by a round of heartbeats", () => {
  it.each([
    { at: 1, proposals: 10 },
    { at: 2, proposals: 10 },
    { at: 3, proposals: 10 },
    { at: 1, proposals: 0 },
    { at: 2, proposals: 0 },
    { at: 3, proposals: 0 },
  ])("asked at $at after $proposals proposals see all of them (ReadOnlyOptionSafe)", ({ at, proposals }) => {
    const cluster = new TestCluster({ peers: 3, configure: forwarding });
    cluster.elect(1);
    for (let count = 0; count < proposals; count++) cluster.propose(1, "x");
    cluster.settle();
    const ref = cluster.newRef();
    cluster.step(at, { kind: "read", ref, mode: "round" });
    cluster.settle();
    expect(cluster.node(at).replies.find((reply) => reply.ref === ref)).toEqual({
      ref,
      kind: "readable",
      index: proposals + 1,
    });
  });

  it.each([1, 4])(
    "a learner's answer confirms nothing, its question is answered: at %i (ReadOnlyWithLearner)",
    (at) => {
      const cluster = new TestCluster({ peers: 3, spares: 1, configure: forwarding });
      cluster.elect(1);
      const steps = [{ action: "addLearner", peer: 4 }] as never;
      const change = { version: 2, transition: "auto", steps, context: new Uint8Array() } as const;
      cluster.step(1, { kind: "changeConfiguration", ref: cluster.newRef(), change });
      cluster.tick(5);
      const ref = cluster.newRef();
      const isAnswered = (): boolean => cluster.node(at).replies.some((reply) => reply.ref === ref);
      cluster.isOpen = ({ from, to }) => [1, 4].includes(from) && [1, 4].includes(to);
      cluster.step(at, { kind: "read", ref, mode: "round" });
      cluster.settle();
      expect(isAnswered()).toBe(false);
      cluster.isOpen = () => true;
      cluster.tick(4);
      expect(isAnswered()).toBe(true);
    },
  );

  it("waits until the new leader has committed in its term (ReadOnlyForNewLeader)", () => {
    const one = new SingleCore({ log: [1], term: 1, commit: 1 }).lead();
    const ref = one.read();
    expect(one.replyTo(ref)).toBe(undefined);
    one.receive("heartbeatResponse", 2, 2, { round: 99 });
    expect(one.replyTo(ref)).toBe(undefined);
    one.acknowledge(2);
    const round = one.sentOf("heartbeatRequest").pop()?.round ?? 0;
    one.receive("heartbeatResponse", 2, 2, { round });
    expect(one.replyTo(ref)).toMatchObject({ kind: "readable", index: 2 });
  });

  it("an answer serves each read once, and keeps nothing of it (RaftFreesReadOnlyMem)", () => {
    const one = new SingleCore().leadAll();
    const first = one.read();
    const round = one.sentOf("heartbeatRequest")[0]?.round ?? 0;
    one.receive("heartbeatResponse", 2, 1, { round });
    one.receive("heartbeatResponse", 3, 1, { round });
    expect(one.replies.filter(({ ref }) => ref === first)).toHaveLength(1);
    // Room for all of them again: the limit counts what waits.
    const full = new SingleCore({ config: { waitingReadsMax: 2 } }).leadAll();
    for (let turn = 0; turn < 5; turn++) {
      const refs = [full.read(), full.read()];
      // The second one waits for a round of its own: it may have come after the first one's answers were sent.
      for (let rounds = 0; rounds < 2; rounds++)
        full.receive("heartbeatResponse", 2, 1, { round: full.sentOf("heartbeatRequest").pop()?.round ?? 0 });
      expect(refs.map((ref) => full.replyTo(ref)?.kind)).toEqual(["readable", "readable"]);
    }
  });

  it("an answer to an earlier round confirms no repetition (ReadOnlyDuplicateRequest)", () => {
    const one = new SingleCore().leadAll();
    one.read();
    const early = one.sentOf("heartbeatRequest")[0]?.round ?? 0;
    one.receive("heartbeatResponse", 2, 1, { round: early });
    const again = one.read();
    one.receive("heartbeatResponse", 2, 1, { round: early });
    one.receive("heartbeatResponse", 3, 1, { round: early });
    expect(one.replyTo(again)).toBe(undefined);
    one.receive("heartbeatResponse", 3, 1, { round: early + 1 });
    expect(one.replyTo(again)).toMatchObject({ kind: "readable" });
  });
});

describe("reads on a lease", () => {
  const leased = (): SingleCore => {
    const one = new SingleCore({ leases: true }).leadAll();
    one.ticks(1);
    one.receive("heartbeatResponse", 2, 1, { round: one.sentOf("heartbeatRequest")[0]?.round ?? 0 });
    return one;
  };

  it("are answered at once while it lasts (ReadOnlyOptionLease)", () => {
    const one = leased();
    expect(one.replyTo(one.read("lease"))).toMatchObject({ kind: "readable", index: 1 });
    one.ticks(6);
    expect(one.replyTo(one.read("lease"))).toMatchObject({ kind: "readable" });
    one.ticks(1);
    expect(one.replyTo(one.read("lease"))).toBe(undefined);
  });

  it("are not after a hand-over was ordered, whatever came of it (raft #99)", () => {
    const one = leased();
    one.transfer(2);
    expect(one.replyTo(one.read("lease"))).toBe(undefined);
  });
});
