import { must } from "@holdfast/base";
import { describe, expect, test } from "vitest";
import { ChunkWorld } from "../chunks/testing/chunk-world.ts";
import type { DecideResult } from "../decision.ts";
import { decideFleet } from "./decide-fleet.ts";
import { decideRetire } from "./decide-replacement.ts";
import { decideIntroduction } from "./decide.ts";
import { listJoinTokens, outJoinTokenIds } from "./join-tokens.ts";
import type { FleetOrder } from "./orders.ts";
import { explainRemoval, replacementTable, successorOf } from "./replacements.ts";
import { nodeByNameTable, nodeIntent, nodeOrderTable, nodeTable, type NodeRow } from "./tables.ts";

const hash = (number: number): Uint8Array => new Uint8Array(32).fill(number);

class World extends ChunkWorld {
  order(order: FleetOrder): DecideResult {
    const decided = decideFleet(this.tables, { kind: "fleet", order, candidateChunkIds: [] }, this.context);
    if (decided.ok) this.fold(...decided.value.events);
    return decided;
  }

  replace(nodeId: number, token = nodeId): DecideResult {
    const value = { tokenSha256: hash(token), lifetimeMs: 600_000, label: "", replacesNodeId: nodeId };
    return this.order({ case: "issueJoinToken", value });
  }

  /** A newcomer with names of its own shows a token. */
  join(token: number, uuidDigit = "a"): DecideResult {
    const names = { nodeUuid: uuidDigit.repeat(32), clusterId: "", name: `new-${uuidDigit}`, address: "host:9" };
    const host = { ip: "10.0.0.9", mac: "02:00:00:00:00:09", zone: "mine", rack: "mine", capacityBytes: 1000 };
    const entry = { proof: { isAdmitted: false, credentialSha256: hash(token) }, atMs: this.atMs };
    const decided = decideIntroduction(this.tables, { ...names, ...host }, entry);
    if (decided.ok) this.fold(...decided.value.events);
    return decided;
  }

  /** The node that stands at the id comes back with its own directory. */
  comeBack(nodeId: number): DecideResult {
    const { nodeUuid, address, ip, mac, capacityBytes } = this.row(nodeId);
    const facts = { nodeUuid, address, ip, mac, capacityBytes, zone: "", rack: "" };
    const entry = { proof: { isAdmitted: false, credentialSha256: undefined }, atMs: this.atMs };
    return decideIntroduction(this.tables, { ...facts, clusterId: "c".repeat(32), name: "node-1" }, entry);
  }

  row(nodeId: number): NodeRow {
    return must(this.tables.get(nodeTable, [nodeId]), "the node joined");
  }

  down(nodeId: number): void {
    this.fold({ kind: "nodeDown", nodeId, reason: "test", drillId: 0 });
  }

  retire(): readonly unknown[] {
    const { events } = decideRetire(this.tables);
    this.fold(...events);
    return events;
  }
}

describe("replacing a node", () => {
  test("nothing changes until the newcomer comes; then it has name and labels, and the old one gives its copies away", () => {
    const world = new World();
    world.fold({ kind: "nodeLabelled", nodeId: 1, zone: "b", rack: "b4" });
    const chunkId = world.store();
    const holderId = must(world.confirmed(chunkId)[0], "a stored chunk has copies");
    world.fold({ kind: "nodeLabelled", nodeId: holderId, zone: "b", rack: "b4" });
    const name = `node-${holderId}`;
    expect(world.replace(holderId)).toMatchObject({ value: { outcome: { fleet: { joinTokenId: 1 } } } });
    expect(world.row(holderId)).toMatchObject({ name, intent: nodeIntent.active });
    const place = { name, zone: "b", rack: "b4" };
    expect(world.join(holderId)).toMatchObject({
      value: {
        events: [
          { kind: "nodeReplaced", nodeId: holderId, byNodeId: 6, retiredName: `${name}.old`, copiesTotal: 1 },
          { kind: "nodeJoined", nodeId: 6, joinTokenId: 1, ...place },
        ],
      },
    });
    expect(world.row(6)).toMatchObject({ ...place, intent: nodeIntent.active });
    expect(world.row(holderId)).toMatchObject({ name: `${name}.old`, intent: nodeIntent.draining });
    expect(world.tables.get(nodeOrderTable, [holderId])).toMatchObject({
      reason: `replaced by ${name}`,
      copiesTotal: 1,
    });
    expect(world.tables.get(nodeByNameTable, [name])).toEqual({ nodeId: 6 });
    expect(world.tables.get(nodeByNameTable, [`${name}.old`])).toEqual({ nodeId: holderId });
    expect(successorOf(world.tables, holderId)?.nodeId).toBe(6);
  });

  test("a live one goes when it is drained, a dead one when nobody lacks its copies; neither ever comes back", () => {
    const world = new World();
    const chunkId = world.store();
    const [live = 0, dead = 0] = world.confirmed(chunkId);
    const others = [1, 2, 3, 4, 5].filter((nodeId) => !world.confirmed(chunkId).includes(nodeId));
    world.replace(live);
    world.join(live, "a");
    expect(world.retire()).toEqual([]);
    world.replace(dead);
    world.join(dead, "b");
    world.down(dead);
    expect(world.retire()).toEqual([]);
    for (const nodeId of others) world.report(nodeId, { added: [world.copy(chunkId)] });
    expect(world.retire()).toEqual([{ kind: "nodeRemoved", nodeId: dead, copiesLeft: 1 }]);
    world.fold({ kind: "nodeDrained", nodeId: live });
    expect(world.retire()).toEqual([{ kind: "nodeRemoved", nodeId: live, copiesLeft: 1 }]);
    expect(world.retire()).toEqual([]);
    expect(world.comeBack(dead)).toMatchObject({
      ok: false,
      error: {
        kind: "precondition",
        message: expect.stringContaining(`was replaced by node-${dead} (node 7) on 1970-01-01`),
      },
    });
    expect(explainRemoval(world.tables, world.row(live))).toContain("this directory can never come back");
  });

  test("a last copy keeps a dead one in the cluster, declared failed or not", () => {
    for (const isFailed of [false, true]) {
      const world = new World();
      const chunkId = world.store(2);
      const [holder = 0, other = 0] = world.confirmed(chunkId);
      world.report(other, { missingChunkIds: [chunkId] });
      if (isFailed) world.fold({ kind: "nodeFailed", nodeId: holder, reason: "" });
      else world.down(holder);
      world.replace(holder);
      expect(world.join(holder).ok).toBe(true);
      expect(world.row(holder).intent).toBe(isFailed ? nodeIntent.failed : nodeIntent.draining);
      expect(world.retire()).toEqual([]);
      expect(world.comeBack(holder)).toMatchObject({ ok: true, value: { events: [] } });
    }
  });

  test("a second command for the same node ends the first; a plain token ends nothing", () => {
    const world = new World();
    world.replace(1, 11);
    world.order({
      case: "issueJoinToken",
      value: { tokenSha256: hash(12), lifetimeMs: 600_000, label: "", replacesNodeId: 0 },
    });
    world.replace(2, 13);
    expect(world.replace(1, 14)).toMatchObject({
      value: {
        events: [
          { kind: "joinTokenRevoked", joinTokenId: 1 },
          { kind: "joinTokenIssued", joinTokenId: 4 },
        ],
      },
    });
    expect(outJoinTokenIds(world.tables)).toEqual([2, 3, 4]);
    expect(world.join(11)).toMatchObject({ ok: false, error: { kind: "denied" } });
  });

  test.each([
    { what: "one that nobody knows", nodeId: 9, kind: "notFound", reason: "There is no node 9" },
    { what: "a removed one", nodeId: 2, kind: "precondition", reason: "was removed" },
    { what: "a replaced one", nodeId: 3, kind: "precondition", reason: "was replaced by node-3 already" },
  ])("$what can't be replaced", ({ nodeId, kind, reason }) => {
    const world = new World();
    world.fold({ kind: "nodeRemoved", nodeId: 2, copiesLeft: 0 });
    world.replace(3);
    world.join(3);
    expect(world.replace(nodeId, 40)).toMatchObject({
      ok: false,
      error: { kind, message: expect.stringContaining(reason) },
    });
    expect(listJoinTokens(world.tables)).toHaveLength(1);
  });

  test("a replaced one is not called back to work, and a removed one leaves its name to who was to replace it", () => {
    const world = new World();
    world.replace(1);
    world.join(1, "a");
    const back = world.order({ case: "activateNode", value: { nodeId: 1 } });
    expect(back).toMatchObject({ ok: false, error: { message: expect.stringContaining("It can't work again") } });
    world.replace(2);
    world.fold({ kind: "nodeRemoved", nodeId: 2, copiesLeft: 0 });
    expect(world.join(2, "b")).toMatchObject({
      value: { events: [{ kind: "nodeJoined", nodeId: 7, name: "node-2" }] },
    });
    expect(world.tables.get(replacementTable, [2])).toBeUndefined();
  });

  test("the successor of a successor gets everything; a removed one nothing", () => {
    const world = new World();
    world.replace(1, 1);
    world.join(1, "a");
    world.replace(6, 2);
    world.join(2, "b");
    expect(world.row(7).name).toBe("node-1");
    expect(world.row(6).name).toBe("node-1.old2");
    expect(successorOf(world.tables, 1)?.nodeId).toBe(7);
    expect(successorOf(world.tables, 7)).toBeUndefined();
    world.fold({ kind: "nodeRemoved", nodeId: 7, copiesLeft: 0 });
    expect(successorOf(world.tables, 1)).toBeUndefined();
  });
});
