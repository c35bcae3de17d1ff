import { describe, expect, it } from "vitest";
import { makeEntries } from "../log-store/log-store.contract.ts";
import type { AppendRequest, HeartbeatRequest, VoteRequest } from "../core/messages.ts";
import type { LogIndex, PeerId, Term } from "../core/types.ts";
import { PeerQueue } from "./peer-queue.ts";

const header = { from: 1 as PeerId, to: 2 as PeerId, term: 1 as Term };
const none = { term: 0 as Term, index: 0 as LogIndex };
const heartbeat = (round: number): HeartbeatRequest => ({ ...header, kind: "heartbeatRequest", commit: none, round });
const vote: VoteRequest = {
  ...header,
  kind: "voteRequest",
  isPreVote: false,
  isTransfer: false,
  last: none,
  commit: none,
};

function append(first: number, count: number): AppendRequest {
  const previous = { term: 1 as Term, index: (first - 1) as LogIndex };
  return {
    ...header,
    kind: "appendRequest",
    previous,
    commit: 0 as LogIndex,
    entries: makeEntries(first, first + count - 1, 1),
  };
}

describe("PeerQueue", () => {
  it("gives back in order, by frames of about the size asked for", () => {
    const queue = new PeerQueue({ messagesMax: 1000, bytesMax: 1e6 });
    for (let round = 0; round < 300; round++) expect(queue.push(heartbeat(round))).toBe(0);
    const first = queue.take(640);
    expect(first).toEqual(Array.from({ length: 10 }, (_, round) => heartbeat(round)));
    expect(queue.take(1e9)).toEqual(Array.from({ length: 290 }, (_, round) => heartbeat(round + 10)));
    expect(queue.take(1e9)).toEqual([]);
  });

  it("gives a message that is larger than a frame alone", () => {
    const queue = new PeerQueue({ messagesMax: 10, bytesMax: 1e6 });
    queue.push(append(1, 100));
    queue.push(heartbeat(1));
    expect(queue.take(100)).toEqual([append(1, 100)]);
    expect(queue.take(100)).toEqual([heartbeat(1)]);
  });

  it("drops the oldest beyond a limit and says how many", () => {
    const queue = new PeerQueue({ messagesMax: 3, bytesMax: 1e6 });
    expect([0, 1, 2, 3, 4].map((round) => queue.push(heartbeat(round)))).toEqual([0, 0, 0, 1, 1]);
    expect(queue.take(1e9)).toEqual([heartbeat(2), heartbeat(3), heartbeat(4)]);
    const small = new PeerQueue({ messagesMax: 100, bytesMax: 600 });
    for (let first = 1; first < 100; first += 10) small.push(append(first, 10));
    expect(small.take(1e9)).toEqual([append(91, 10)]);
  });

  it("lets an append without entries give way to the next one at its place, and to nothing else", () => {
    const bare = (commit: number, over: Partial<AppendRequest> = {}): AppendRequest => ({
      ...append(5, 0),
      commit: commit as LogIndex,
      ...over,
    });
    const next = { ...append(5, 2), commit: 4 as LogIndex };
    const taken = (...messages: readonly (AppendRequest | HeartbeatRequest)[]): readonly unknown[] => {
      const queue = new PeerQueue({ messagesMax: 100, bytesMax: 1e6 });
      for (const message of messages) expect(queue.push(message)).toBe(0);
      return queue.take(1e9);
    };
    expect(taken(bare(4), next)).toEqual([next]);
    expect(taken(bare(3), bare(4), next)).toEqual([next]);
    expect(taken(heartbeat(1), bare(4), next)).toEqual([heartbeat(1), next]);
    for (const kept of [bare(5), bare(4, { term: 2 as Term }), { ...append(4, 0), commit: 4 as LogIndex }])
      expect(taken(kept, next)).toEqual([kept, next]);
    expect(taken(bare(4), heartbeat(1), next)).toEqual([bare(4), heartbeat(1), next]);
    expect(taken(append(3, 2), next)).toEqual([append(3, 2), next]);
  });

  it("keeps only the newest of each kind, and no entries, while the peer is away", () => {
    const queue = new PeerQueue({ messagesMax: 100, bytesMax: 1e6 });
    queue.push(append(1, 5));
    queue.disconnect();
    expect(queue.length).toBe(0);
    expect(queue.push(heartbeat(1))).toBe(0);
    expect(queue.push(vote)).toBe(0);
    expect(queue.push(heartbeat(2))).toBe(1);
    expect(queue.push(append(1, 5))).toBe(1);
    queue.connect();
    expect(queue.push(heartbeat(3))).toBe(0);
    expect(queue.take(1e9)).toEqual([vote, heartbeat(2), heartbeat(3)]);
  });
});
