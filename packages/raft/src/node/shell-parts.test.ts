import { HoldfastError } from "@holdfast/base";
import { describe, expect, it } from "vitest";
import type { CommittedEntry, StateMachine } from "../api.ts";
import type { Entry } from "../core/entries.ts";
import type { HeartbeatResponse, Message } from "../core/messages.ts";
import type { PeerView, RaftView } from "../core/raft-core.ts";
import type { LogIndex, PeerId, Term } from "../core/types.ts";
import { makeEntries } from "../log-store/log-store.contract.ts";
import { AppliedWaiters } from "./applied-waiters.ts";
import { Applier } from "./applier.ts";
import { Compactor } from "./compactor.ts";
import { handOverTarget } from "./hand-over.ts";
import { Proposals } from "./proposals.ts";
import { Reads } from "./reads.ts";
import { SendAfter } from "./send-after.ts";
import { raftSettings, resolveSettings } from "./settings.ts";
import { StallWatch } from "./stall-watch.ts";

const index = (value: number): LogIndex => value as LogIndex;
const kindOf = (error: unknown): string => (error instanceof HoldfastError ? error.kind : String(error));

/** A state machine whose batches end when the test says so. */
class SlowStateMachine implements StateMachine {
  readonly batches: { readonly indexes: readonly number[]; readonly throughIndex: number }[] = [];
  finish: (() => void) | undefined;
  fails = false;
  flushes = 0;
  durableIndex = 0;

  appliedIndex(): LogIndex {
    return index(this.durableIndex);
  }

  async apply(entries: readonly CommittedEntry[], throughIndex: LogIndex): Promise<void> {
    expect(this.finish, "batches never overlap").toBeUndefined();
    this.batches.push({ indexes: entries.map((entry) => entry.index), throughIndex });
    await new Promise<void>((resolve) => (this.finish = resolve));
    this.finish = undefined;
    if (this.fails) throw new Error("refused");
  }

  async flush(): Promise<void> {
    this.flushes++;
  }

  async finishAll(): Promise<void> {
    for (let turns = 0; turns < 100; turns++) {
      this.finish?.();
      await Promise.resolve();
    }
  }
}

describe("Applier", () => {
  it("makes batches within limits, one at a time, and passes application entries only", async () => {
    const stateMachine = new SlowStateMachine();
    const applied: number[] = [];
    const onFailed = (error: unknown): void => expect.fail(String(error));
    const applier = new Applier({
      stateMachine,
      batchEntriesMax: 4,
      batchBytesMax: 1e6,
      onApplied: (through) => applied.push(through),
      onFailed,
    });
    const empty: Entry = { index: index(1), term: 1 as Term, payload: { kind: "empty" } };
    applier.push([empty, ...makeEntries(2, 3, 1)]);
    applier.push(makeEntries(4, 9, 1));
    await stateMachine.finishAll();
    expect(stateMachine.batches).toEqual([
      { indexes: [2, 3], throughIndex: 3 },
      { indexes: [4, 5, 6, 7], throughIndex: 7 },
      { indexes: [8, 9], throughIndex: 9 },
    ]);
    expect(applied).toEqual([3, 7, 9]);
  });

  it("ends with the first batch that is refused", async () => {
    const stateMachine = new SlowStateMachine();
    stateMachine.fails = true;
    const failures: unknown[] = [];
    const onApplied = (): void => expect.fail("nothing was applied");
    const applier = new Applier({
      stateMachine,
      batchEntriesMax: 1,
      batchBytesMax: 1,
      onApplied,
      onFailed: (error) => failures.push(error),
    });
    applier.push(makeEntries(1, 3, 1));
    await stateMachine.finishAll();
    applier.push(makeEntries(4, 5, 1));
    await stateMachine.finishAll();
    expect(failures).toHaveLength(1);
    expect(stateMachine.batches).toHaveLength(1);
  });
});

describe("AppliedWaiters", () => {
  it("resolves when the index is reached, rejects when the caller or the node gives up", async () => {
    const waiters = new AppliedWaiters(index(5));
    await waiters.wait(index(5));
    const settled: string[] = [];
    const abort = new AbortController();
    const note = (name: string, promise: Promise<void>): Promise<void> =>
      promise.then(
        () => void settled.push(name),
        (error: unknown) => void settled.push(`${name} ${kindOf(error)}`),
      );
    const all = [
      note("seven", waiters.wait(index(7))),
      note("nine", waiters.wait(index(9), abort.signal)),
      note("twelve", waiters.wait(index(12))),
    ];
    waiters.advance(index(8));
    abort.abort();
    waiters.end(new HoldfastError("unavailable", "stopping"));
    await Promise.all(all);
    expect(settled.toSorted()).toEqual(["nine cancelled", "seven", "twelve unavailable"]);
    expect(await waiters.wait(index(99)).catch(kindOf)).toBe("unavailable");
    expect(await waiters.wait(index(12), AbortSignal.abort()).catch(kindOf)).toBe("unavailable");
  });
});

describe("Proposals", () => {
  it("gives each its one outcome, applied ones when they are applied here", async () => {
    const proposals = new Proposals();
    const outcomes = [1, 2, 3, 4, 5].map((ref) => proposals.add(ref, new Uint8Array(1)));
    expect(proposals.takeFresh().map(({ ref }) => ref)).toEqual([1, 2, 3, 4, 5]);
    expect(proposals.takeFresh()).toEqual([]);
    const id = (at: number) => ({ term: 1 as Term, index: index(at) });
    expect(proposals.answer({ ref: 1, kind: "committed", id: id(10) }, index(10))).toBe(true);
    expect(proposals.answer({ ref: 2, kind: "committed", id: id(11) }, index(10))).toBe(true);
    expect(proposals.answer({ ref: 3, kind: "superseded" }, index(10))).toBe(true);
    expect(proposals.answer({ ref: 4, kind: "notLeader", leader: 3 as PeerId }, index(10))).toBe(true);
    expect(proposals.answer({ ref: 4, kind: "superseded" }, index(10)), "a second answer is nobody's").toBe(false);
    expect(proposals.openCount).toBe(2);
    proposals.advance(index(11));
    proposals.end();
    expect(await Promise.all(outcomes)).toEqual([
      { kind: "applied", ...id(10) },
      { kind: "applied", ...id(11) },
      { kind: "superseded" },
      { kind: "notLeader", leader: 3 },
      { kind: "unknown" },
    ]);
  });
});

describe("Reads", () => {
  it("shares one question among all of a turn and names the leader when refused", async () => {
    const reads = new Reads({ addressOf: (peer) => `host:${peer}`, leases: { isOver: () => false } });
    expect(reads.takeFresh(() => 1)).toEqual([]);
    const shared = [reads.add("round"), reads.add("round")];
    expect(reads.takeFresh(() => 2)).toEqual([{ kind: "read", ref: 2, mode: "round" }]);
    const refused = reads.add("round").catch((error: unknown) => error);
    expect(reads.takeFresh(() => 3)).toHaveLength(1);
    expect(reads.answer({ ref: 2, kind: "readable", index: index(8) })).toBe(true);
    expect(await Promise.all(shared)).toEqual([8, 8]);
    expect(reads.answer({ ref: 3, kind: "notLeader", leader: 2 as PeerId })).toBe(true);
    expect(await refused).toMatchObject({ kind: "notLeader", leaderAddress: "host:2" });
    const ended = reads.add("round").catch(kindOf);
    reads.end(new HoldfastError("unavailable", "stopping"));
    expect(await ended).toBe("unavailable");
  });
});

describe("SendAfter", () => {
  it("holds messages until their token is durable, in order", () => {
    const sent: Message[] = [];
    const sendAfter = new SendAfter((message) => sent.push(message));
    const message = (round: number): HeartbeatResponse => ({
      kind: "heartbeatResponse",
      from: 1 as PeerId,
      to: 2 as PeerId,
      term: 1 as Term,
      round,
    });
    sendAfter.add(1, message(1));
    sendAfter.add(2, message(2));
    sendAfter.add(2, message(3));
    expect(sent).toEqual([]);
    sendAfter.release(1);
    expect(sent).toEqual([message(1)]);
    sendAfter.release(3);
    sendAfter.add(3, message(4));
    expect(sent).toEqual([1, 2, 3, 4].map(message));
  });
});

const peer = (id: number, matchIndex: number, over: Partial<PeerView> = {}): PeerView => ({
  id: id as PeerId,
  state: "replicate",
  matchIndex: index(matchIndex),
  nextIndex: index(matchIndex + 1),
  isLearner: false,
  isActive: true,
  isPaused: false,
  pendingSnapshotIndex: index(0),
  inflightAppends: 0,
  isInflightFull: false,
  ...over,
});
const leaderView = (peers: readonly PeerView[], over: Partial<RaftView> = {}): RaftView => ({
  id: 1 as PeerId,
  role: "leader",
  isLearner: false,
  term: 1 as Term,
  vote: 1 as PeerId,
  leader: 1 as PeerId,
  transferee: undefined,
  commitIndex: index(1000),
  appliedIndex: index(1000),
  firstIndex: index(1),
  lastIndex: index(1000),
  missingEntries: 0,
  lastTerm: 1 as Term,
  durableIndex: index(1000),
  isReadyLeader: true,
  hasFailed: false,
  membership: { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
  peers,
  ...over,
});

describe("handOverTarget", () => {
  it("is the live voter with the longest log, and nobody when there is none or it does not lead", () => {
    expect(handOverTarget(leaderView([peer(1, 1000), peer(2, 900), peer(3, 950)]))).toBe(3);
    expect(handOverTarget(leaderView([peer(1, 1000), peer(2, 900), peer(3, 950, { isActive: false })]))).toBe(2);
    expect(handOverTarget(leaderView([peer(1, 1000), peer(2, 900, { isLearner: true })]))).toBeUndefined();
    expect(handOverTarget(leaderView([peer(2, 900)], { role: "follower" }))).toBeUndefined();
  });
});

describe("Compactor", () => {
  it("cuts behind what is retained, what everyone has and what is durable, and only when it is worth it", async () => {
    const stateMachine = new SlowStateMachine();
    stateMachine.durableIndex = 700;
    const cuts: number[] = [];
    let view = leaderView([peer(1, 1000), peer(2, 1000), peer(3, 120)]);
    const onFailed = (error: unknown): void => expect.fail(String(error));
    const compactor = new Compactor({
      stateMachine,
      retainedEntriesMin: 100,
      laggingEntriesMax: 300,
      sendingIndex: () => undefined,
      view: () => view,
      compact: (through) => cuts.push(through),
      onFailed,
    });
    compactor.check();
    await compactor.stop();
    expect(cuts, "nobody said what everyone has").toEqual([]);
    compactor.observe(view);
    expect(compactor.everyoneHasIndex).toBe(120);
    compactor.check();
    await compactor.stop();
    expect(cuts).toEqual([120]);
    view = leaderView([peer(1, 1000), peer(2, 1000), peer(3, 160)], { firstIndex: index(121) });
    compactor.observe(view);
    compactor.check();
    await compactor.stop();
    expect(cuts, "40 entries are not worth it").toEqual([120]);
    compactor.learn(index(2000));
    compactor.learn(index(5));
    compactor.check();
    await compactor.stop();
    expect(cuts, "not past what the state machine has durably").toEqual([120, 700]);
    expect(stateMachine.flushes).toBe(2);
  });
});

describe("StallWatch", () => {
  it("tells how late a tick is when that is too much", () => {
    const watch = new StallWatch({ tickMs: 25, stallMs: 500 }, 0);
    expect([25, 60, 1200, 1225].map((nowMs) => watch.tick(nowMs))).toEqual([undefined, undefined, 1115, undefined]);
  });
});

describe("raft settings", () => {
  it("take their defaults, and every value out of range is named", () => {
    for (const { defaultValue, minimum, maximum, help } of Object.values(raftSettings)) {
      expect(defaultValue).toBeGreaterThanOrEqual(minimum);
      expect(defaultValue).toBeLessThanOrEqual(maximum);
      expect(help.endsWith(".")).toBe(true);
    }
    expect(resolveSettings({ tickMs: 10 })).toMatchObject({
      tickMs: 10,
      heartbeatTicks: raftSettings.heartbeatTicks.defaultValue,
    });
    expect(() => resolveSettings({ tickMs: 0, diskSlowMs: Number.NaN })).toThrow(/tickMs = 0 .*diskSlowMs = NaN/);
  });
});
