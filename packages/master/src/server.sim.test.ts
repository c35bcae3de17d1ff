import { create } from "@bufbuild/protobuf";
import { must } from "@holdfast/base";
import { QueryService, WatchRequestSchema, WatchService, type WatchResponse } from "@holdfast/proto/master/v1/master";
import { Liveness } from "@holdfast/proto/model/v1/model";
import { describe, expect, test } from "vitest";
import { FakeNode } from "../test/fake-node.ts";
import { clusterOf, createUser, grant, userOf, writeFile } from "../test/sim-files.ts";
import { addressOf, simClusterId, SimMasters } from "../test/sim-masters.ts";

describe("three masters", () => {
  test("begin with the cluster's first event, answer commands and reads, and agree", async () => {
    const { cluster } = await clusterOf(1);
    const { outcome, index } = await cluster.execute(createUser, "once");
    const again = await cluster.execute(createUser, "once");
    expect(again).toEqual({ ...again, outcome, index });
    const status = await cluster.status();
    expect(status).toMatchObject({
      clusterId: simClusterId,
      replication: 3,
      chunkSizeBytes: 4 << 20,
      writeCopiesMin: 2,
    });
    expect(status.masters.map((master) => master.name)).toEqual(["master-1", "master-2", "master-3"]);
    expect(status.masters.map((master) => master.role).sort()).toEqual(["follower", "follower", "leader"]);
    expect(await cluster.settled()).toBe(true);
    const hashes = [...cluster.masters.values()].map(({ master }) =>
      Buffer.from(master.foldedState().stateHash).toString("hex"),
    );
    expect(new Set(hashes).size).toBe(1);
  });

  test("a killed leader loses nothing; the same request id is answered with the first outcome", async () => {
    const { cluster } = await clusterOf(2);
    const first = await cluster.execute(createUser, "kept");
    const old = await cluster.leader();
    cluster.crash(old.id, "powerCut");
    const again = await cluster.execute(createUser, "kept");
    expect(again.outcome).toEqual(first.outcome);
    const status = await cluster.status();
    expect(status.masters.find((master) => master.masterId === old.id)?.role).toBe("unreachable");
    await cluster.start(old.id);
    expect(await cluster.settled()).toBe(true);
  });

  test("everything off and on again: the accounts are there", async () => {
    const { cluster } = await clusterOf(3);
    const { userId } = await userOf(cluster);
    for (const id of cluster.ids) cluster.crash(id, "powerCut");
    await cluster.startAll();
    await cluster.leader();
    const user = await cluster.world.settle(
      cluster.caller.call(QueryService, (client, options) =>
        client.getUser(
          { $typeName: "holdfast.master.v1.GetUserRequest", email: "", userId, atLeastIndex: 0n },
          options,
        ),
      ),
      20_000,
    );
    expect(user.user?.email).toBe("a@b.example");
  });

  test("stop cleanly, while nodes and watchers are connected, and start again", async () => {
    const { cluster } = await clusterOf(4, 2);
    for (const { master } of cluster.masters.values()) await cluster.world.settle(master.stop(), 5000);
    for (const id of cluster.ids) cluster.crash(id);
    await cluster.startAll();
    await cluster.leader();
    expect((await cluster.status()).nodes.map((node) => node.name)).toEqual(["node-1", "node-2"]);
  });
});

describe("the master's own disk", () => {
  test("nearly full: callers' changes are refused in words while the log goes on; with room again they are taken", async () => {
    const cluster = new SimMasters({ seed: 13, count: 1 });
    const { disk } = cluster.world.machine("master-1", { capacityBytes: 200 << 20 });
    await cluster.startAll();
    await cluster.leader();
    const filler = await cluster.world.settle(
      cluster.processOn("master-1").process.disk.open("/filler", "create"),
      1000,
    );
    const room = disk.capacityBytes - disk.data.usedBytes();
    await cluster.world.settle(filler.write(new Uint8Array(room - (9 << 20)), 0), 60_000);
    await cluster.world.runFor(6000);
    expect(await cluster.execute(createUser).catch((error: unknown) => error)).toMatchObject({ kind: "noSpace" });
    expect(cluster.masters.get(1)?.master.readiness()).toMatchObject({ isReady: false });
    const node = new FakeNode(cluster, 1);
    node.start();
    expect(await cluster.world.runUntil(() => node.nodeId > 0, 5000)).toBe(true);
    await cluster.world.settle(filler.truncate(0), 1000);
    await cluster.world.runFor(6000);
    expect((await cluster.execute(createUser)).outcome?.userId).toBe(1n);
  });

  test("failed: it says so, leads no more, and the others go on", async () => {
    const { cluster } = await clusterOf(14);
    const old = await cluster.leader();
    cluster.world.machine(`master-${old.id}`).disk.failingSyncCount = 1;
    expect((await cluster.execute(createUser)).outcome?.userId).toBe(1n);
    expect(old.master.readiness()).toMatchObject({
      isReady: false,
      reason: expect.stringContaining("takes part no more: the log could not be written"),
    });
    expect((await cluster.leader()).id).not.toBe(old.id);
  });
});

describe("nodes", () => {
  test("join, are told who leads, die after their time and come back", async () => {
    const { cluster, nodes } = await clusterOf(5, 4);
    expect(nodes.map((node) => node.nodeId).toSorted((left, right) => left - right)).toEqual([1, 2, 3, 4]);
    const before = await cluster.status();
    expect(before.nodes.map((node) => node.liveness)).toEqual(Array(4).fill(Liveness.LIVE));
    expect(before.nodes[0]).toMatchObject({ ip: "10.0.0.1", mac: "02:00:00:00:00:01", capacityBytes: 1n << 30n });
    const victim = must(nodes[0], "there are nodes");
    victim.kill();
    await cluster.world.runFor(1500);
    expect((await cluster.status()).nodes.find((node) => node.nodeId === victim.nodeId)?.liveness).toBe(
      Liveness.SUSPECT,
    );
    await cluster.world.runFor(11_000);
    expect((await cluster.status()).nodes.find((node) => node.nodeId === victim.nodeId)?.liveness).toBe(Liveness.DEAD);
    victim.start();
    await cluster.world.runFor(2000);
    expect((await cluster.status()).nodes.find((node) => node.nodeId === victim.nodeId)?.liveness).toBe(Liveness.LIVE);
  });

  test("a new leader calls nobody dead before the grace has passed, and counts those that never come", async () => {
    const { cluster, nodes } = await clusterOf(6, 3);
    const silent = must(nodes[2], "there are nodes");
    const old = await cluster.leader();
    silent.kill();
    cluster.crash(old.id);
    await cluster.leader();
    await cluster.world.runFor(5000);
    const young = await cluster.status();
    expect(young.nodes.find((node) => node.nodeId === silent.nodeId)?.liveness).toBe(Liveness.UNSPECIFIED);
    expect(young.nodes.filter((node) => node.liveness === Liveness.LIVE).length).toBe(2);
    await cluster.world.runFor(8000);
    const old2 = await cluster.status();
    expect(old2.nodes.find((node) => node.nodeId === silent.nodeId)?.liveness).toBe(Liveness.DEAD);
  });

  test("another cluster's node, a taken name and a copied identity are refused in words", async () => {
    const { cluster, nodes } = await clusterOf(7, 2);
    const foreign = new FakeNode(cluster, 8);
    foreign.clusterId = "f".repeat(32);
    const namesake = new FakeNode(cluster, 1);
    namesake.uuid = "9".repeat(32);
    const copy = new FakeNode(cluster, 2);
    copy.address = "elsewhere:8000";
    for (const node of [foreign, namesake, copy]) node.start();
    await cluster.world.runUntil(() => [foreign, namesake, copy].every((node) => node.refusal !== undefined), 5000);
    expect(foreign.refusal).toContain("belongs to cluster ffff");
    expect(namesake.refusal).toContain('called "node-1"');
    expect(copy.refusal).toContain("has a copy of its directory");
    const status = await cluster.status();
    expect(new Map(status.nodes.map((node) => [node.nodeId, node.address]))).toEqual(
      new Map(nodes.map((node) => [node.nodeId, node.address])),
    );
    must(nodes[1], "there are two nodes").kill();
    await cluster.world.runUntil(() => copy.nodeId > 0, 8000);
    expect(copy.nodeId).toBe(nodes[1]?.nodeId);
  });
});

describe("copies", () => {
  test("the third copy is confirmed by its node's word; a death makes chunks short, a return makes them whole", async () => {
    const { cluster, nodes } = await clusterOf(8, 4);
    const user = await userOf(cluster);
    for (let count = 0; count < 10; count++) await writeFile(cluster, nodes, { name: `f${count}`, ...user });
    await cluster.world.runFor(3000);
    expect((await cluster.status()).chunks).toMatchObject({ total: 10n, healthy: 10n, under: 0n });
    const victim = must(nodes[0], "there are nodes");
    victim.kill();
    await cluster.world.runFor(12_500);
    expect((await cluster.status()).chunks).toMatchObject({
      total: 10n,
      healthy: BigInt(10 - victim.inventory.size),
      under: BigInt(victim.inventory.size),
    });
    victim.start();
    await cluster.world.runFor(4000);
    expect((await cluster.status()).chunks).toMatchObject({ healthy: 10n, under: 0n });
  });

  test("a node that comes back without some copies is found out by its digests", async () => {
    const { cluster, nodes } = await clusterOf(9, 3);
    const user = await userOf(cluster);
    for (let count = 0; count < 20; count++) await writeFile(cluster, nodes, { name: `f${count}`, ...user });
    await cluster.world.runFor(3000);
    const victim = must(nodes[1], "there are nodes");
    victim.kill();
    const lost = [...victim.inventory.keys()].slice(0, 7);
    for (const chunkId of lost) victim.inventory.delete(chunkId);
    victim.inventory.set(5000, { chunkId: 5000, generation: 1, lengthBytes: 1 });
    victim.start();
    await cluster.world.runFor(5000);
    expect((await cluster.status()).chunks).toMatchObject({ total: 20n, healthy: 13n, under: 7n });
    expect(victim.trimmedIds).toEqual([]);
    const listedCount = victim.listedBucketCount;
    await cluster.world.runFor(60_000);
    expect(victim.listedBucketCount).toBe(listedCount);
  });

  test("deleted for ever: every copy is ordered away, also on a node that was away, over a change of leader", async () => {
    const { cluster, nodes } = await clusterOf(10, 3);
    const user = await userOf(cluster);
    const { entryId, chunkId } = await writeFile(cluster, nodes, { name: "f", ...user });
    await cluster.world.runFor(2000);
    const absent = must(nodes[0], "there are nodes");
    absent.kill();
    await cluster.execute({
      case: "purgeEntry",
      value: { $typeName: "holdfast.master.v1.PurgeEntry", entryId, userId: user.userId },
    });
    await cluster.world.runFor(5000);
    expect(nodes.filter((node) => node.trimmedIds.includes(chunkId)).length).toBe(2);
    expect((await cluster.status()).chunks?.total).toBe(0n);
    cluster.crash((await cluster.leader()).id);
    await cluster.leader();
    absent.start();
    await cluster.world.runFor(5000);
    expect(absent.trimmedIds).toContain(chunkId);
    expect(nodes.every((node) => node.inventory.size === 0)).toBe(true);
  });

  test("too few live nodes: the refusal names them", async () => {
    const { cluster, nodes } = await clusterOf(11, 2);
    must(nodes[0], "there are nodes").kill();
    await cluster.world.runFor(1500);
    const refusal = await grant(cluster).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ kind: "unavailable" });
    expect(String(refusal)).toMatch(new RegExp(`1 of the 2 nodes needed.*${nodes[0]?.name} is (suspect|dead)`));
  });
});

describe("watch", () => {
  test("a follower streams what is applied; a watcher behind the ring's start is told to read anew", async () => {
    const { cluster } = await clusterOf(12);
    const user = await userOf(cluster);
    const follower = must(
      cluster.ids.find((id) => !cluster.masters.get(id)?.master.raft.status().isReadyLeader),
      "two masters follow",
    );
    const seen: WatchResponse[] = [];
    const abort = new AbortController();
    const watch = async (fromIndex: bigint): Promise<void> => {
      const request = create(WatchRequestSchema, { fromIndex });
      for await (const message of cluster.client
        .client(WatchService, addressOf(follower))
        .watch(request, { signal: abort.signal }))
        seen.push(message);
    };
    const watching = watch(0n).catch(() => undefined);
    await cluster.world.runFor(500);
    const folder = {
      $typeName: "holdfast.master.v1.CreateFolder",
      name: "docs",
      ...user,
      keepExisting: false,
    } as const;
    const { outcome, index } = await cluster.execute({ case: "createFolder", value: folder });
    expect(await cluster.world.runUntil(() => seen.length > 0, 5000)).toBe(true);
    expect(seen[0]).toMatchObject({ index, isReset: false });
    expect(seen[0]?.changes[0]?.change).toMatchObject({
      case: "entry",
      value: { sourceParentId: 0n, entry: { entryId: outcome?.entryId, name: "docs" } },
    });
    abort.abort();
    await cluster.world.settle(watching, 5000);
  });
});
