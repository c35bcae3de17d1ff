import { describe, expect, test } from "vitest";
import { clusterTable, noteId } from "../state.ts";
import type { DomainEvent } from "../events.ts";
import { MemoryTables } from "../chunks/testing/memory-tables.ts";
import { decideIntroduction, decideNodesDown, decideNodesUp, type NodeIntroduction } from "./decide.ts";
import { evolveFleet } from "./evolve.ts";
import { listNodes, nodeIntent, nodeTable } from "./tables.ts";

const clusterId = "c".repeat(32);
const introduction: NodeIntroduction = {
  ...{
    nodeUuid: "a".repeat(32),
    clusterId: "",
    name: "node-1",
    address: "host:1",
    ip: "10.0.0.1",
    mac: "02:00:00:00:00:01",
    zone: "z",
    rack: "",
  },
  capacityBytes: 1000,
};

class World {
  readonly memory = new MemoryTables();

  constructor() {
    this.memory.tables.set(clusterTable, [], { clusterId, chunkSizeBytes: 1024, replication: 3 });
  }

  introduce(change: Partial<NodeIntroduction> = {}): ReturnType<typeof decideIntroduction> {
    const decided = decideIntroduction(
      this.memory.tables,
      { ...introduction, ...change },
      { proof: { isAdmitted: true, credentialSha256: undefined }, atMs: 5 },
    );
    if (decided.ok) this.fold(decided.value.events);
    return decided;
  }

  fold(events: readonly DomainEvent[]): void {
    for (const event of events) {
      if (event.kind === "nodeJoined") noteId(this.memory.tables, "node", event.nodeId);
      evolveFleet(this.memory.tables, event as Parameters<typeof evolveFleet>[1], { index: 1, atMs: 5, actor: "test" });
    }
  }
}

describe("decideIntroduction", () => {
  test("a new node gets an id of its own; the same words again change nothing", () => {
    const world = new World();
    expect(world.introduce()).toMatchObject({
      ok: true,
      value: { events: [{ kind: "nodeJoined", nodeId: 1, name: "node-1", zone: "z" }] },
    });
    expect(world.introduce({ clusterId })).toMatchObject({ ok: true, value: { events: [] } });
    expect(world.introduce({ nodeUuid: "b".repeat(32), name: "node-2" })).toMatchObject({
      ok: true,
      value: { events: [{ nodeId: 2 }] },
    });
    expect(listNodes(world.memory.tables).map((row) => row.name)).toEqual(["node-1", "node-2"]);
  });

  test("a new address is a fact; a capacity that trembles is none", () => {
    const world = new World();
    world.introduce();
    expect(world.introduce({ capacityBytes: 1009 })).toMatchObject({ ok: true, value: { events: [] } });
    expect(world.introduce({ capacityBytes: 1011, address: "host:2" })).toMatchObject({
      ok: true,
      value: { events: [{ kind: "nodeReported", nodeId: 1, address: "host:2", capacityBytes: 1011 }] },
    });
    expect(world.memory.tables.get(nodeTable, [1])).toMatchObject({
      address: "host:2",
      capacityBytes: 1011,
      name: "node-1",
      zone: "z",
      rack: "",
    });
  });

  test.each([
    { what: "another cluster's directory", change: { clusterId: "d".repeat(32) }, kind: "wrongCluster" },
    { what: "a name that is taken", change: { nodeUuid: "b".repeat(32) }, kind: "nameTaken" },
    { what: "an identity that is none", change: { nodeUuid: "xyz" }, kind: "invalidArgument" },
    { what: "a name with a slash", change: { nodeUuid: "b".repeat(32), name: "a/b" }, kind: "invalidArgument" },
    { what: "a name with NUL", change: { nodeUuid: "b".repeat(32), name: "a\0b" }, kind: "invalidArgument" },
    { what: "an empty name", change: { nodeUuid: "b".repeat(32), name: "" }, kind: "invalidArgument" },
    { what: "an address without port", change: { address: "host" }, kind: "invalidArgument" },
  ])("refuses $what", ({ change, kind }) => {
    const world = new World();
    world.introduce();
    expect(world.introduce(change)).toMatchObject({ ok: false, error: { kind } });
  });

  test("a removed node stays out, and is not listed", () => {
    const world = new World();
    world.introduce();
    const row = world.memory.tables.get(nodeTable, [1]);
    if (row !== undefined) world.memory.tables.set(nodeTable, [1], { ...row, intent: nodeIntent.removed });
    expect(world.introduce({ clusterId })).toMatchObject({ ok: false, error: { kind: "precondition" } });
    expect(listNodes(world.memory.tables)).toEqual([]);
  });

  test("before the first event of the log nobody joins", () => {
    expect(
      decideIntroduction(new MemoryTables().tables, introduction, {
        proof: { isAdmitted: true, credentialSha256: undefined },
        atMs: 5,
      }),
    ).toMatchObject({
      ok: false,
      error: { kind: "unavailable" },
    });
  });
});

describe("down and up", () => {
  test("only what differs becomes a fact; unknown nodes are passed over", () => {
    const world = new World();
    world.introduce();
    const down = [
      { nodeId: 1, reason: "silent" },
      { nodeId: 9, reason: "silent" },
    ];
    expect(decideNodesUp(world.memory.tables, [1, 9])).toEqual([]);
    const events = decideNodesDown(world.memory.tables, down, 5);
    expect(events).toEqual([{ kind: "nodeDown", nodeId: 1, reason: "silent", drillId: 0 }]);
    world.fold(events);
    expect(world.memory.tables.get(nodeTable, [1])).toMatchObject({
      isDown: true,
      downReason: "silent",
      changedAtMs: 5,
    });
    expect(decideNodesDown(world.memory.tables, down, 5)).toEqual([]);
    world.fold(decideNodesUp(world.memory.tables, [1]));
    expect(world.memory.tables.get(nodeTable, [1])).toMatchObject({ isDown: false, downReason: "" });
  });
});
