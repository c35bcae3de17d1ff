import { describe, expect, it } from "vitest";
import { LocalNodes, localNodesMax } from "./local-nodes.ts";
import type { LocalNodesContent } from "./local-nodes-file.ts";

/** Nodes whose processes only remember what they were told, over "restarts" that share what is kept. */
class Machine {
  kept: LocalNodesContent = { added: [], stopped: [] };
  readonly running = new Set<string>();
  readonly joinSecrets = new Map<string, string>();
  takenNames: readonly string[] = [];

  open(plannedCount = 2): LocalNodes {
    this.running.clear();
    return new LocalNodes({
      plannedNames: Array.from({ length: plannedCount }, (_, index) => `node-${index + 1}`),
      takenNames: this.takenNames,
      file: { content: this.kept, write: async (content) => void (this.kept = content) },
      keepJoinSecret: async (name, joinSecret) => void this.joinSecrets.set(name, joinSecret),
      makeProcess: async (name) => ({
        state: "running",
        pid: 7,
        start: () => void this.running.add(name),
        stop: async () => void this.running.delete(name),
      }),
    });
  }
}

describe("local nodes", () => {
  it("run as the settings say, with one more on wish, which is there after a restart too", async () => {
    const machine = new Machine();
    const nodes = machine.open();
    await nodes.startAll();
    expect(await nodes.start("")).toBe("node-3");
    expect(nodes.list().map(({ name, state }) => `${name} ${state}`)).toEqual([
      "node-1 running",
      "node-2 running",
      "node-3 running",
    ]);
    const again = machine.open();
    await again.startAll();
    expect([...machine.running]).toEqual(["node-1", "node-2", "node-3"]);
  });

  it("stay stopped over restarts until they are started again", async () => {
    const machine = new Machine();
    const nodes = machine.open();
    await nodes.startAll();
    await nodes.stop("node-2");
    await nodes.stop("node-2");
    const again = machine.open();
    await again.startAll();
    expect([...machine.running]).toEqual(["node-1"]);
    expect(again.list()[1]).toEqual({ name: "node-2", state: "stopped", pid: 0 });
    expect(await again.start("node-2")).toBe("node-2");
    expect(await again.start("node-2")).toBe("node-2");
    expect(machine.kept).toEqual({ added: [], stopped: [] });
  });

  it("are all ended at the end, without being remembered as stopped, and none starts then", async () => {
    const machine = new Machine();
    const nodes = machine.open();
    await nodes.startAll();
    await nodes.stopAll();
    expect(machine.running.size).toBe(0);
    expect(machine.kept.stopped).toEqual([]);
    await expect(nodes.start("")).rejects.toMatchObject({ kind: "unavailable" });
  });

  it("never take the directory of an earlier node for a new one", async () => {
    const machine = new Machine();
    machine.takenNames = ["node-9"];
    expect(await machine.open().start("")).toBe("node-10");
  });

  it("get names of their own when several are wished for at once", async () => {
    const nodes = new Machine().open();
    const names = await Promise.all([nodes.start(""), nodes.start(""), nodes.start("")]);
    expect(names).toEqual(["node-3", "node-4", "node-5"]);
  });

  it("join with the secret of a join token when they are new, and only then", async () => {
    const machine = new Machine();
    const nodes = machine.open();
    const joinSecret = "5".repeat(64);
    expect(await nodes.start("", joinSecret)).toBe("node-3");
    expect([...machine.joinSecrets]).toEqual([["node-3", joinSecret]]);
    const kept = machine.kept;
    await expect(nodes.start("node-1", joinSecret)).rejects.toMatchObject({ kind: "invalidArgument" });
    await expect(nodes.start("", "../secret")).rejects.toMatchObject({ kind: "invalidArgument" });
    expect([machine.kept, machine.joinSecrets.size]).toEqual([kept, 1]);
  });

  it("refuse names that were never there, and more than the machine's limit", async () => {
    const nodes = new Machine().open(localNodesMax);
    await nodes.startAll();
    await expect(nodes.start("node-99")).rejects.toMatchObject({ kind: "notFound" });
    await expect(nodes.stop("../etc")).rejects.toMatchObject({ kind: "notFound" });
    await expect(nodes.start("")).rejects.toMatchObject({ kind: "tooBusy" });
    await nodes.stop("node-1");
    expect(await nodes.start("")).toBe("node-65");
  });
});
