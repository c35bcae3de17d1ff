import { describe, expect, test } from "vitest";
import { ChunkWorld } from "../chunks/testing/chunk-world.ts";
import type { DecideResult } from "../decision.ts";
import { decideFleetExpiry } from "./decide-expiry.ts";
import { decideFleet } from "./decide-fleet.ts";
import { decideIntroduction, type JoinProof, type NodeIntroduction } from "./decide.ts";
import { findJoinToken, listJoinTokens } from "./join-tokens.ts";
import type { FleetOrder } from "./orders.ts";

const minuteMs = 60_000;
const hash = (number: number): Uint8Array => new Uint8Array(32).fill(number);
const newNode: NodeIntroduction = {
  ...{
    nodeUuid: "a".repeat(32),
    clusterId: "",
    name: "node-9",
    address: "host:9",
    ip: "10.0.0.9",
    mac: "02:00:00:00:00:09",
  },
  ...{ zone: "", rack: "", capacityBytes: 1000 },
};

class World extends ChunkWorld {
  order(order: FleetOrder): DecideResult {
    const decided = decideFleet(this.tables, { kind: "fleet", order, candidateChunkIds: [] }, this.context);
    if (decided.ok) this.fold(...decided.value.events);
    return decided;
  }

  issue(number: number, lifetimeMs = 10 * minuteMs): DecideResult {
    return this.order({
      case: "issueJoinToken",
      value: { tokenSha256: hash(number), lifetimeMs, label: "rack 4", replacesNodeId: 0 },
    });
  }

  join(proof: Partial<JoinProof>, change: Partial<NodeIntroduction> = {}): DecideResult {
    const entry = { proof: { isAdmitted: false, credentialSha256: undefined, ...proof }, atMs: this.atMs };
    const decided = decideIntroduction(this.tables, { ...newNode, ...change }, entry);
    if (decided.ok) this.fold(...decided.value.events);
    return decided;
  }

  refusal(proof: Partial<JoinProof>, change: Partial<NodeIntroduction> = {}): string {
    const decided = this.join(proof, change);
    return decided.ok ? "" : `${decided.error.kind}: ${decided.error.message}`;
  }
}

describe("join tokens", () => {
  test("one lets one node in, once; the node comes back without it", () => {
    const world = new World();
    expect(world.issue(1)).toMatchObject({ value: { outcome: { fleet: { joinTokenId: 1 } } } });
    expect(world.join({ credentialSha256: hash(1) })).toMatchObject({
      value: { events: [{ kind: "nodeJoined", nodeId: 6, joinTokenId: 1 }] },
    });
    expect(world.join({})).toMatchObject({ ok: true, value: { events: [] } });
    expect(findJoinToken(world.tables, hash(1))).toMatchObject({ usedByNodeId: 6 });
    const another = { nodeUuid: "b".repeat(32), name: "node-10" };
    expect(world.refusal({ credentialSha256: hash(1) }, another)).toMatch(
      /denied: .*was used by node-9 less than a minute ago/,
    );
    expect(world.join({ isAdmitted: true }, another).ok).toBe(true);
  });

  test.each([
    { what: "nothing", proof: {}, change: {}, reason: "showed none" },
    { what: "a strange token", proof: { credentialSha256: hash(7) }, change: {}, reason: "not one of this cluster's" },
    {
      what: "an expired token",
      proof: { credentialSha256: hash(2) },
      change: {},
      reason: 'Join token 2 ("rack 4") expired a minute ago',
    },
    { what: "a revoked token", proof: { credentialSha256: hash(3) }, change: {}, reason: "was revoked" },
    {
      what: "a forgotten directory",
      proof: {},
      change: { clusterId: "c".repeat(32) },
      reason: "from another time, or a copy",
    },
    {
      what: "a foreign directory",
      proof: { credentialSha256: hash(1) },
      change: { clusterId: "d".repeat(32) },
      reason: "wrongCluster",
    },
  ])("refuses $what in words", ({ proof, change, reason }) => {
    const world = new World();
    world.issue(1);
    world.issue(2, minuteMs);
    world.issue(3);
    world.order({ case: "revokeJoinToken", value: { joinTokenId: 3, isAll: false } });
    world.atMs += 2 * minuteMs;
    expect(world.refusal(proof, change)).toContain(reason);
    world.fold(...decideFleetExpiry(world.tables, world.atMs).events);
    expect(world.refusal(proof, change)).toContain(reason);
  });

  test("all that are out are revoked at once; nothing more happens then", () => {
    const world = new World();
    for (const number of [1, 2, 3]) world.issue(number);
    world.join({ credentialSha256: hash(2) });
    const all: FleetOrder = { case: "revokeJoinToken", value: { joinTokenId: 0, isAll: true } };
    expect(world.order(all)).toMatchObject({ value: { events: [{ joinTokenId: 1 }, { joinTokenId: 3 }] } });
    expect(world.order(all)).toMatchObject({ value: { events: [] } });
    expect(decideFleetExpiry(world.tables, world.atMs + 99 * minuteMs).events).toEqual([]);
  });

  test("a hundred are out at most; the ended ones are forgotten in the end, with their hashes", () => {
    const world = new World();
    for (let number = 1; number <= 100; number++) expect(world.issue(number).ok).toBe(true);
    expect(world.issue(101)).toMatchObject({ ok: false, error: { kind: "tooBusy" } });
    expect(world.issue(5)).toMatchObject({ ok: true, value: { events: [], outcome: { fleet: { joinTokenId: 5 } } } });
    const all: FleetOrder = { case: "revokeJoinToken", value: { joinTokenId: 0, isAll: true } };
    world.order(all);
    expect(world.issue(5)).toMatchObject({ ok: false, error: { kind: "invalidArgument" } });
    for (let number = 101; number <= 201; number++) {
      expect(world.issue(number).ok).toBe(true);
      world.order(all);
    }
    expect(listJoinTokens(world.tables)).toHaveLength(200);
    expect(findJoinToken(world.tables, hash(1))).toBeUndefined();
    expect(findJoinToken(world.tables, hash(201))).toBeDefined();
  });

  test.each([
    { what: "a short hash", value: { tokenSha256: new Uint8Array(31), lifetimeMs: minuteMs, label: "" } },
    { what: "a life too short", value: { tokenSha256: hash(1), lifetimeMs: minuteMs - 1, label: "" } },
    { what: "a life too long", value: { tokenSha256: hash(1), lifetimeMs: 7 * 24 * 60 * minuteMs + 1, label: "" } },
    { what: "a label with a line break", value: { tokenSha256: hash(1), lifetimeMs: minuteMs, label: "a\nb" } },
    { what: "a long label", value: { tokenSha256: hash(1), lifetimeMs: minuteMs, label: "x".repeat(201) } },
  ])("refuses to issue one with $what", ({ value }) => {
    const order: FleetOrder = { case: "issueJoinToken", value: { ...value, replacesNodeId: 0 } };
    expect(new World().order(order)).toMatchObject({
      ok: false,
      error: { kind: "invalidArgument" },
    });
  });
});
