import { describe, expect, it } from "vitest";
import { Inflights } from "../../src/core/inflights.ts";
import { Progress } from "../../src/core/progress.ts";
import type { LogIndex } from "../../src/core/types.ts";
import { idOf, SingleCore, snapshotting } from "./single-core.ts";

/** etcd's raft_flow_control_test, the progress part of raft_test, and the tracker's tests; names in brackets. */

const windowed = (inflightAppendsMax: number): SingleCore =>
  new SingleCore({ voters: [1, 2], config: { inflightAppendsMax } }).leadAll();

describe("a full window", () => {
  it("lets no more appends out (MsgAppFlowControlFull)", () => {
    const one = windowed(5);
    for (let count = 0; count < 5; count++) one.propose();
    expect(one.sentOf("appendRequest")).toHaveLength(5);
    expect(one.peer(2)).toMatchObject({ isInflightFull: true, isPaused: true, inflightAppends: 5 });
    for (let count = 0; count < 10; count++) one.propose();
    expect(one.sentOf("appendRequest")).toHaveLength(0);
  });

  it("moves on with every acknowledgement, and not with an old one (MsgAppFlowControlMoveForward)", () => {
    const config = { inflightAppendsMax: 5, appendBytesMax: 1 };
    const one = new SingleCore({ voters: [1, 2], config }).leadAll();
    for (let count = 0; count < 10; count++) one.propose();
    one.sent();
    for (let index = 2; index < 6; index++) {
      one.acknowledge(2, index);
      expect(one.sentOf("appendRequest").filter(({ entries }) => entries.length > 0)).toHaveLength(1);
      one.acknowledge(2, index - 1);
      expect(one.sentOf("appendRequest")).toHaveLength(0);
      expect(one.peer(2).isInflightFull).toBe(true);
    }
  });

  it("lets one empty append through for each answered heartbeat (MsgAppFlowControlRecvHeartbeat)", () => {
    const one = windowed(3);
    for (let count = 0; count < 5; count++) one.propose();
    one.sent();
    for (let beats = 0; beats < 5; beats++) {
      one.receive("heartbeatResponse", 2, one.view.term);
      const appends = one.sentOf("appendRequest");
      expect(appends.map(({ entries }) => entries.length)).toEqual([0]);
      expect(one.peer(2)).toMatchObject({ isPaused: true, inflightAppends: 3 });
    }
  });
});

describe("progress in a leader", () => {
  it("its own follows its disk (ProgressLeader)", () => {
    const one = new SingleCore({ voters: [1, 2] }).lead();
    for (let count = 0; count < 5; count++) {
      const { matchIndex, nextIndex } = one.peer(1);
      expect([matchIndex, nextIndex]).toEqual([count + 1, count + 2]);
      one.propose();
    }
  });

  it("a probed member is sent one append until it answers or a heartbeat is answered (ProgressPaused, ProgressResumeByHeartbeatResp, SendAppendForProgressProbe)", () => {
    const one = new SingleCore({ voters: [1, 2] }).lead();
    expect(one.sentOf("appendRequest")).toHaveLength(1);
    for (let count = 0; count < 3; count++) one.propose();
    expect(one.sentOf("appendRequest")).toHaveLength(0);
    expect(one.peer(2)).toMatchObject({ state: "probe", isPaused: true });
    // A heartbeat that nobody answers changes nothing.
    one.ticks(1);
    expect(one.sentOf("appendRequest")).toHaveLength(0);
    one.receive("heartbeatResponse", 2, one.view.term);
    expect(one.sentOf("appendRequest")).toHaveLength(1);
  });

  it("a streamed member is sent everything at once (SendAppendForProgressReplicate)", () => {
    const one = windowed(256);
    for (let count = 0; count < 10; count++) {
      one.propose();
      expect(one.sentOf("appendRequest").map(({ entries }) => entries.length)).toEqual([1]);
    }
    expect(one.peer(2)).toMatchObject({ state: "replicate", nextIndex: 12, matchIndex: 1 });
  });

  it("a member that gets a snapshot is sent nothing (SendAppendForProgressSnapshot)", () => {
    const one = snapshotting();
    for (let count = 0; count < 10; count++) one.propose();
    expect(one.peer(2).state).toBe("snapshot");
    expect(one.sentOf("appendRequest").filter(({ to }) => to === 2)).toHaveLength(0);
  });

  it("a message that did not get through makes it probe after what is known to agree (RecvMsgUnreachable)", () => {
    const one = windowed(256);
    for (let count = 0; count < 5; count++) one.propose();
    one.acknowledge(2, 3);
    one.step({ kind: "unreachable", peer: 2 as never });
    expect(one.peer(2)).toMatchObject({ state: "probe", matchIndex: 3, nextIndex: 4 });
  });

  it.each([
    { state: "replicate", next: 3 },
    { state: "probe", next: 2 },
  ] as const)(
    "what is sent moves the next index only when streaming: $state (LeaderIncreaseNext)",
    ({ state, next }) => {
      const one = windowed(256);
      if (state === "probe") one.step({ kind: "unreachable", peer: 2 as never });
      one.propose();
      expect(one.peer(2)).toMatchObject({ state, nextIndex: next });
    },
  );

  it("each append is bounded in bytes, the window in number (ProgressFlowControl)", () => {
    const config = { inflightAppendsMax: 3, appendBytesMax: 2048 };
    const one = new SingleCore({ voters: [1, 2], config }).lead();
    one.sent();
    for (let count = 0; count < 10; count++) one.propose("a".repeat(1000));
    expect(one.sentOf("appendRequest")).toHaveLength(0);
    // The probe is answered: a full window of two entries each.
    one.acknowledge(2, 1);
    const first = one.sentOf("appendRequest").filter(({ entries }) => entries.length > 0);
    expect(first.map(({ entries }) => entries.length)).toEqual([2, 2, 2]);
    one.acknowledge(2, 7);
    const rest = one.sentOf("appendRequest").filter(({ entries }) => entries.length > 0);
    expect(rest.map(({ entries }) => entries.length)).toEqual([2, 2]);
  });

  it("too much that is not committed is refused, and taken again when it is (UncommittedEntryLimit)", () => {
    const config = { uncommittedBytesMax: 1000 };
    const one = new SingleCore({ config }).leadAll();
    const refs = Array.from({ length: 11 }, () => one.propose("a".repeat(100)));
    expect(one.replyTo(refs[9] ?? 0)).toBe(undefined);
    expect(one.replyTo(refs[10] ?? 0)).toMatchObject({ kind: "overloaded" });
    one.acknowledge(2);
    // One of any size is taken when nothing else is open; then even a small one is too much.
    const large = one.propose("a".repeat(2000));
    expect(one.replyTo(large)).toBe(undefined);
    expect(one.replyTo(one.propose("a"))).toMatchObject({ kind: "overloaded" });
    // Without bytes always.
    expect(one.replyTo(one.propose(""))).toBe(undefined);
    one.acknowledge(2);
    expect(one.replyTo(large)).toMatchObject({ kind: "committed" });
  });

  it("an acknowledgement that lost the way does not hold up what comes after it (MsgAppRespWaitReset)", () => {
    const one = new SingleCore().lead();
    one.acknowledge(2);
    expect(one.view.commitIndex).toBe(1);
    one.sent();
    one.propose("to both");
    // 3 has not answered the probe: only 2 is sent the entry; when 3 answers it gets it, too.
    expect(one.sentOf("appendRequest").map(({ to }) => to)).toEqual([2]);
    one.acknowledge(3, 1);
    const [append] = one.sentOf("appendRequest");
    expect(append).toMatchObject({ to: 3, previous: idOf(1, 1), commit: 1 });
    expect(append?.entries).toHaveLength(1);
  });
});

describe("inflights", () => {
  const filled = (countMax: number, indexes: readonly number[], bytesMax = Infinity): Inflights => {
    const inflights = new Inflights({ countMax, bytesMax });
    for (const lastIndex of indexes) inflights.add({ lastIndex, bytes: 10 });
    return inflights;
  };

  it("are kept in order (InflightsAdd)", () => {
    const inflights = filled(10, [0, 1, 2, 3, 4]);
    expect([inflights.count, inflights.bytes, inflights.list().map(({ lastIndex }) => lastIndex)]).toEqual([
      5,
      50,
      [0, 1, 2, 3, 4],
    ]);
  });

  it.each([
    { through: 0, left: [1, 2, 3, 4, 5, 6, 7, 8, 9] },
    { through: 4, left: [5, 6, 7, 8, 9] },
    { through: 8, left: [9] },
    { through: 9, left: [] },
  ])("are freed up to $through (InflightFreeTo)", ({ through, left }) => {
    const inflights = filled(10, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    inflights.freeThrough(through);
    expect(inflights.list().map(({ lastIndex }) => lastIndex)).toEqual(left);
    expect(inflights.bytes).toBe(left.length * 10);
  });

  it.each([
    { countMax: 3, bytesMax: Infinity, full: [false, false, true] },
    { countMax: 9, bytesMax: 20, full: [false, true, true] },
    { countMax: 9, bytesMax: 11, full: [false, true, true] },
    { countMax: 1, bytesMax: 1, full: [true, true, true] },
  ])("are full by number or bytes: $countMax, $bytesMax (InflightFull)", ({ countMax, bytesMax, full }) => {
    const seen = [1, 2, 3].map(
      (count) =>
        filled(
          countMax,
          Array.from({ length: count }, (_, at) => at),
          bytesMax,
        ).isFull,
    );
    expect(seen).toEqual(full);
  });

  it("are none after a reset (InflightReset)", () => {
    const inflights = filled(3, [1, 2, 3]);
    inflights.reset();
    expect([inflights.count, inflights.bytes, inflights.isFull]).toEqual([0, 0, false]);
  });
});

describe("one member's progress", () => {
  const limits = { inflightAppendsMax: 256, inflightBytesMax: Infinity };
  const made = (match: number, next: number): Progress => {
    const progress = new Progress({ next: next as LogIndex, isLearner: false, limits });
    progress.match = match as LogIndex;
    return progress;
  };

  it.each([
    { state: "probe", isWaiting: false, is: false },
    { state: "probe", isWaiting: true, is: true },
    { state: "replicate", isWaiting: false, is: false },
    { state: "replicate", isWaiting: true, is: true },
    { state: "snapshot", isWaiting: false, is: true },
    { state: "snapshot", isWaiting: true, is: true },
  ] as const)("$state, waiting=$isWaiting: paused=$is (ProgressIsPaused)", ({ state, isWaiting, is }) => {
    const progress = made(0, 1);
    progress.state = state;
    progress.isPausedForAnswer = isWaiting;
    expect(progress.isPaused).toBe(is);
  });

  it("goes on when it is answered or refused (ProgressResume)", () => {
    for (const answer of ["acknowledged", "refused"]) {
      const progress = made(0, 2);
      progress.isPausedForAnswer = true;
      if (answer === "refused") progress.stepBack(1 as LogIndex, 1 as LogIndex);
      else progress.acknowledge(2 as LogIndex);
      expect([answer, progress.isPaused]).toEqual([answer, false]);
    }
  });

  it.each([
    { from: "replicate", pending: 0, next: 2 },
    { from: "snapshot", pending: 10, next: 11 },
    { from: "snapshot", pending: 0, next: 2 },
  ] as const)("from $from, snapshot $pending, it probes at $next (ProgressBecomeProbe)", ({ from, pending, next }) => {
    const progress = made(1, 5);
    if (from === "snapshot") progress.becomeSnapshot((pending || 1) as LogIndex);
    else progress.becomeReplicate();
    if (pending === 0) progress.pendingSnapshot = 0 as LogIndex;
    progress.becomeProbe();
    expect(progress).toMatchObject({ state: "probe", match: 1, next });
  });

  it("streams from what is known to agree (ProgressBecomeReplicate)", () => {
    const progress = made(1, 5);
    progress.becomeReplicate();
    expect(progress).toMatchObject({ state: "replicate", match: 1, next: 2 });
  });

  it("waits for a snapshot (ProgressBecomeSnapshot)", () => {
    const progress = made(1, 5);
    progress.becomeSnapshot(10 as LogIndex);
    expect(progress).toMatchObject({ state: "snapshot", match: 1, pendingSnapshot: 10 });
  });

  it.each([
    { index: 2, match: 3, next: 5, isNews: false },
    { index: 3, match: 3, next: 5, isNews: false },
    { index: 4, match: 4, next: 5, isNews: true },
    { index: 5, match: 5, next: 6, isNews: true },
  ])(
    "acknowledged $index: match $match, next $next, news=$isNews (ProgressUpdate)",
    ({ index, match, next, isNews }) => {
      const progress = made(3, 5);
      expect(progress.acknowledge(index as LogIndex)).toBe(isNews);
      expect(progress).toMatchObject({ match, next });
    },
  );

  it.each([
    { state: "replicate", match: 5, next: 10, rejected: 5, hint: 5, isNews: false, after: 10 },
    { state: "replicate", match: 5, next: 10, rejected: 4, hint: 4, isNews: false, after: 10 },
    { state: "replicate", match: 5, next: 10, rejected: 9, hint: 9, isNews: true, after: 6 },
    { state: "probe", match: 0, next: 0, rejected: 0, hint: 0, isNews: false, after: 0 },
    { state: "probe", match: 0, next: 10, rejected: 5, hint: 5, isNews: false, after: 10 },
    { state: "probe", match: 0, next: 10, rejected: 9, hint: 9, isNews: true, after: 9 },
    { state: "probe", match: 0, next: 2, rejected: 1, hint: 1, isNews: true, after: 1 },
    { state: "probe", match: 0, next: 1, rejected: 0, hint: 0, isNews: true, after: 1 },
    { state: "probe", match: 0, next: 10, rejected: 9, hint: 2, isNews: true, after: 3 },
    { state: "probe", match: 0, next: 10, rejected: 9, hint: 0, isNews: true, after: 1 },
  ] as const)("$state at $match/$next refused $rejected, hint $hint: next $after (ProgressMaybeDecr)", (shape) => {
    const progress = made(shape.match, shape.next);
    progress.state = shape.state;
    expect(progress.stepBack(shape.rejected as LogIndex, shape.hint as LogIndex)).toBe(shape.isNews);
    expect(progress.next).toBe(shape.after);
  });
});
