import { beforeEach, describe, expect, it } from "vitest";
import { childTable } from "../domain/namespace/state.ts";
import { createFolder, TestMaster } from "../testing/test-master.ts";
import { readProgress } from "./fold-entry.ts";

let master: TestMaster;
let userId: number;
let rootId: number;

beforeEach(async () => {
  master = new TestMaster();
  ({ userId, rootId } = await master.initialise());
});

function folderNamed(name: string): number | undefined {
  return master.tables.get(childTable, [rootId, name])?.entryId;
}

describe("command handler", () => {
  it("answers with the outcome once the events are applied", async () => {
    const result = await master.execute(createFolder(userId, rootId, "a"));
    expect(result.index).toBe(master.stateMachine.appliedIndex());
    expect(folderNamed("a")).toBe(result.outcome.entryId);
    expect(result.events.map((event) => event.kind)).toEqual(["folderCreated"]);
  });

  it("decides against what is in flight", async () => {
    master.raft.hold();
    const first = master.execute(createFolder(userId, rootId, "a"));
    const second = master.execute(createFolder(userId, rootId, "b"));
    const clash = master.execute(createFolder(userId, rootId, "a"));
    expect(master.handler.inFlightCount()).toBe(2);
    expect(folderNamed("a")).toBeUndefined();
    master.raft.release();
    const ids = [(await first).outcome.entryId, (await second).outcome.entryId];
    expect(new Set(ids).size).toBe(2);
    await expect(clash).rejects.toMatchObject({ kind: "nameTaken" });
    expect(master.handler.inFlightCount()).toBe(0);
  });

  it("holds a refusal back until what it rests on is committed", async () => {
    master.raft.hold();
    const first = master.execute(createFolder(userId, rootId, "a"));
    const clash = master.execute(createFolder(userId, rootId, "a"));
    master.raft.loseLeadership();
    await expect(first).rejects.toMatchObject({ kind: "unavailable" });
    // Not nameTaken: the folder that was in the way never came to be.
    await expect(clash).rejects.toMatchObject({ kind: "unavailable" });
  });

  it("asks Raft before it refuses on applied state alone", async () => {
    await master.execute(createFolder(userId, rootId, "a"));
    const before = master.raft.readIndexCount;
    await expect(master.execute(createFolder(userId, rootId, "a"))).rejects.toMatchObject({ kind: "nameTaken" });
    expect(master.raft.readIndexCount).toBe(before + 1);
  });

  it("writes no log entry when there is nothing to do", async () => {
    const made = await master.execute(createFolder(userId, rootId, "a"));
    const entries = master.raft.log.length;
    const again = await master.execute({
      kind: "createFolder",
      userId,
      parentId: rootId,
      name: "a",
      keepExisting: true,
    });
    expect(again.outcome.entryId).toBe(made.outcome.entryId);
    expect(master.raft.log).toHaveLength(entries);
  });
});

describe("exactly once", () => {
  it("answers a retry with the first outcome and changes nothing", async () => {
    const first = await master.execute(createFolder(userId, rootId, "a"), "same");
    const entries = master.raft.log.length;
    const second = await master.execute(createFolder(userId, rootId, "a"), "same");
    expect(second).toMatchObject({
      index: first.index,
      outcome: { entryId: first.outcome.entryId, name: "a" },
      events: [],
    });
    expect(master.raft.log).toHaveLength(entries);
  });

  it("lets a second identical request wait for the first", async () => {
    master.raft.hold();
    const first = master.execute(createFolder(userId, rootId, "a"), "same");
    const second = master.execute(createFolder(userId, rootId, "a"), "same");
    expect(master.handler.inFlightCount()).toBe(1);
    master.raft.release();
    expect((await second).outcome).toEqual((await first).outcome);
  });

  it("tries again when the first attempt did not happen", async () => {
    master.raft.failNext("superseded");
    await expect(master.execute(createFolder(userId, rootId, "a"), "same")).rejects.toMatchObject({
      kind: "unavailable",
    });
    expect((await master.execute(createFolder(userId, rootId, "a"), "same")).outcome.name).toBe("a");
  });

  it("refuses malformed request ids", async () => {
    for (const requestId of ["", "a b", "\0", "x".repeat(65), "ä"]) {
      await expect(master.execute(createFolder(userId, rootId, "a"), requestId)).rejects.toMatchObject({
        kind: "invalidArgument",
      });
    }
    expect(folderNamed("a")).toBeUndefined();
  });
});

describe("leadership", () => {
  it("sends others to the leader", async () => {
    master.raft.loseLeadership();
    await expect(master.execute(createFolder(userId, rootId, "a"))).rejects.toMatchObject({
      kind: "notLeader",
      leaderAddress: "master-2:1",
    });
  });

  it("forgets what was in flight when it leads again", async () => {
    master.raft.hold();
    const lost = master.execute(createFolder(userId, rootId, "a"));
    master.raft.loseLeadership();
    await expect(lost).rejects.toMatchObject({ kind: "unavailable" });
    master.raft.gainLeadership();
    const made = await master.execute(createFolder(userId, rootId, "a"));
    expect(folderNamed("a")).toBe(made.outcome.entryId);
  });
});

describe("a batch that fails in the middle", () => {
  it("voids those that were decided on it, and goes on afterwards", async () => {
    master.raft.failNext("overloaded");
    const lost = master.execute(createFolder(userId, rootId, "a"));
    // Decided on top of "a" before its fate is known: its id counts on it.
    const built = master.execute(createFolder(userId, rootId, "b"));
    await expect(lost).rejects.toMatchObject({ kind: "tooBusy" });
    await expect(built).rejects.toMatchObject({ kind: "unavailable" });
    expect(folderNamed("a")).toBeUndefined();
    expect(folderNamed("b")).toBeUndefined();
    await master.execute(createFolder(userId, rootId, "c"));
    expect(folderNamed("c")).toBeDefined();
  });

  it("takes nothing new until all behind it is settled", async () => {
    master.raft.failNext("overloaded");
    const lost = master.execute(createFolder(userId, rootId, "a"));
    master.raft.hold();
    const built = master.execute(createFolder(userId, rootId, "b"));
    await expect(lost).rejects.toMatchObject({ kind: "tooBusy" });
    await expect(master.execute(createFolder(userId, rootId, "c"))).rejects.toMatchObject({ kind: "tooBusy" });
    master.raft.release();
    await expect(built).rejects.toMatchObject({ kind: "unavailable" });
    expect((await master.execute(createFolder(userId, rootId, "c"))).outcome.name).toBe("c");
  });
});

describe("leader time", () => {
  it("never goes back, whatever the clock does", async () => {
    await master.execute(createFolder(userId, rootId, "a"));
    const before = readProgress(master.tables).atMs;
    master.clock.nowMs -= 60_000;
    await master.execute(createFolder(userId, rootId, "b"));
    expect(readProgress(master.tables).atMs).toBe(before);
    master.raft.loseLeadership();
    master.raft.gainLeadership();
    await master.execute(createFolder(userId, rootId, "c"));
    expect(readProgress(master.tables).atMs).toBe(before);
  });
});

describe("back-pressure", () => {
  it("refuses more than 32 batches in flight and takes more when they are settled", async () => {
    master.raft.hold();
    const running = Array.from({ length: 32 }, (_, index) => master.execute(createFolder(userId, rootId, `f${index}`)));
    await expect(master.execute(createFolder(userId, rootId, "more"))).rejects.toMatchObject({ kind: "tooBusy" });
    master.raft.release();
    await Promise.all(running);
    expect((await master.execute(createFolder(userId, rootId, "more"))).outcome.name).toBe("more");
  });
});
