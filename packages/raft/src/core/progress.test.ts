import { describe, expect, it } from "vitest";
import { Inflights } from "./inflights.ts";
import { Progress } from "./progress.ts";
import type { LogIndex } from "./types.ts";

const at = (index: number): LogIndex => index as LogIndex;

function progress(match: number, next: number): Progress {
  const made = new Progress({
    next: at(next),
    isLearner: false,
    limits: { inflightAppendsMax: 2, inflightBytesMax: 100 },
  });
  made.match = at(match);
  return made;
}

describe("Progress", () => {
  it("probes with one append at a time", () => {
    const peer = progress(0, 5);
    peer.sentEntries({ count: 3, bytes: 3 });
    expect([peer.isPaused, peer.next]).toEqual([true, 5]);
    expect(peer.acknowledge(at(4))).toBe(true);
    expect(peer.isPaused).toBe(false);
  });

  it("streams until its window is full in number or bytes, and again when it is freed", () => {
    const peer = progress(4, 5);
    peer.becomeReplicate();
    peer.sentEntries({ count: 3, bytes: 3 });
    expect([peer.next, peer.isPaused]).toEqual([8, false]);
    peer.sentEntries({ count: 1, bytes: 3 });
    expect(peer.isPaused).toBe(true);
    peer.acknowledge(at(7));
    peer.inflights.freeThrough(7);
    expect([peer.isPaused, peer.inflights.count]).toEqual([false, 1]);
    peer.sentEntries({ count: 1, bytes: 100 });
    expect(peer.isPaused).toBe(true);
  });

  it("does not go back for a late refusal", () => {
    const streaming = progress(5, 10);
    streaming.state = "replicate";
    expect(streaming.stepBack(at(5), at(5))).toBe(false);
    expect(streaming.stepBack(at(7), at(2))).toBe(true);
    expect(streaming.next).toBe(6);
    const probing = progress(0, 10);
    expect(probing.stepBack(at(8), at(2))).toBe(false);
    expect(probing.stepBack(at(9), at(2))).toBe(true);
    expect(probing.next).toBe(3);
    expect(probing.stepBack(at(2), at(9))).toBe(true);
    expect(probing.next).toBe(2);
  });

  it("goes on after a snapshot, from it or from before when it failed", () => {
    const sent = progress(3, 9);
    sent.becomeSnapshot(at(8));
    expect([sent.isPaused, sent.pendingSnapshot]).toEqual([true, 8]);
    sent.becomeProbe();
    expect(sent.next).toBe(9);
    const failed = progress(3, 9);
    failed.becomeSnapshot(at(8));
    failed.pendingSnapshot = at(0);
    failed.becomeProbe();
    expect(failed.next).toBe(4);
  });

  it("knows whether news of the commit index would help", () => {
    const peer = progress(4, 8);
    peer.sentCommit = at(4);
    expect([peer.canUseCommit(at(6)), peer.canUseCommit(at(4))]).toEqual([true, false]);
    peer.sentCommit = at(7);
    expect(peer.canUseCommit(at(9))).toBe(false);
  });
});

describe("Inflights", () => {
  it("frees what an acknowledgement covers and keeps the rest", () => {
    const window = new Inflights({ countMax: 3, bytesMax: 10 });
    for (const lastIndex of [2, 4, 6]) window.add({ lastIndex, bytes: 2 });
    expect(window.isFull).toBe(true);
    window.freeThrough(5);
    expect([window.count, window.bytes, window.isFull]).toEqual([1, 2, false]);
    window.freeThrough(1);
    expect(window.count).toBe(1);
    window.reset();
    expect([window.count, window.bytes]).toEqual([0, 0]);
  });
});
