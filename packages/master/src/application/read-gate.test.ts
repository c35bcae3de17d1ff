import type { LogIndex, RaftNode } from "@holdfast/raft";
import { describe, expect, it, vi } from "vitest";
import { ReadGate } from "./read-gate.ts";

/** A node whose ReadIndex rounds the test ends by hand. */
function steeredRaft(): {
  readonly raft: RaftNode;
  readonly rounds: { end: () => void; fail: (error: Error) => void }[];
} {
  const rounds: { end: () => void; fail: (error: Error) => void }[] = [];
  const readIndex = (): Promise<LogIndex> =>
    new Promise((resolve, reject) => rounds.push({ end: () => resolve(7 as LogIndex), fail: reject }));
  return { raft: { readIndex } as unknown as RaftNode, rounds };
}

const linearizable = (signal = new AbortController().signal): { atLeastIndex: number; signal: AbortSignal } => ({
  atLeastIndex: 0,
  signal,
});

describe("read gate", () => {
  it("lets reads that came during a round wait for the next one", async () => {
    const { raft, rounds } = steeredRaft();
    const gate = new ReadGate(raft);
    const passed: string[] = [];
    const first = gate.pass(linearizable()).then(() => passed.push("first"));
    const others = ["second", "third"].map((name) => gate.pass(linearizable()).then(() => passed.push(name)));
    expect(rounds).toHaveLength(1);
    rounds[0]?.end();
    await first;
    expect(passed).toEqual(["first"]);
    await vi.waitFor(() => expect(rounds).toHaveLength(2));
    rounds[1]?.end();
    await Promise.all(others);
    expect(passed).toEqual(["first", "second", "third"]);
  });

  it("starts anew after a round that failed", async () => {
    const { raft, rounds } = steeredRaft();
    const gate = new ReadGate(raft);
    const first = gate.pass(linearizable());
    const second = gate.pass(linearizable());
    rounds[0]?.fail(new Error("no quorum"));
    await expect(first).rejects.toThrowError("no quorum");
    await vi.waitFor(() => expect(rounds).toHaveLength(2));
    rounds[1]?.end();
    await expect(second).resolves.toBeUndefined();
  });

  it("gives up for the caller who does, and for nobody else", async () => {
    const { raft, rounds } = steeredRaft();
    const gate = new ReadGate(raft);
    const caller = new AbortController();
    const first = gate.pass(linearizable(caller.signal));
    caller.abort();
    await expect(first).rejects.toMatchObject({ kind: "cancelled" });
    await expect(gate.pass(linearizable(caller.signal))).rejects.toMatchObject({ kind: "cancelled" });
    const second = gate.pass(linearizable());
    rounds[0]?.end();
    await vi.waitFor(() => expect(rounds).toHaveLength(2));
    rounds[1]?.end();
    await expect(second).resolves.toBeUndefined();
  });
});
