import { join } from "node:path";
import { must } from "@holdfast/base";
import { createNodeDisk } from "@holdfast/runtime/node";
import { afterEach, describe, expect, it } from "vitest";
import { ProcessCluster } from "../../test/process-cluster.ts";
import type { MemberProcess } from "../../test/process-cluster.ts";

let cluster: ProcessCluster | undefined;

afterEach(async () => {
  await cluster?.destroy();
  cluster = undefined;
});

async function statusOf(member: MemberProcess) {
  return member.ask({ kind: "status" }, "status");
}

/** Asks until all members have applied the same entries. */
async function untilEqual(members: readonly MemberProcess[]) {
  for (;;) {
    const reports = await Promise.all(members.map(statusOf));
    if (new Set(reports.map(({ status }) => status.appliedIndex)).size === 1) return reports;
  }
}

/** Proposes until it is applied, wherever the leader is. */
async function proposeSomewhere(running: ProcessCluster, text: string): Promise<void> {
  for (;;) {
    const leader = await running.leader();
    const report = await leader.ask({ kind: "propose", text }, "proposed").catch(() => undefined);
    if (report?.outcome === "applied") return;
  }
}

/** Damages the middle of every segment but the last one; how many. */
async function turnBits(directory: string): Promise<number> {
  const disk = createNodeDisk();
  const names = (await disk.list(directory)).filter((name) => name.startsWith("log-")).sort();
  for (const name of names.slice(0, -1)) {
    const path = `${directory}/${name}`;
    const position = Math.floor(must(await disk.stat(path), "the segment is there").sizeBytes / 2);
    const file = await disk.open(path, "readWrite");
    const byte = await file.read(position, 1);
    await file.write(
      byte.map((bits) => bits ^ 1),
      position,
    );
    await file.close();
  }
  return names.length - 1;
}

describe("raft node as real processes", () => {
  it("loses nothing that was acknowledged when leaders are killed under load, and all members agree", async () => {
    cluster = await ProcessCluster.create(3, { settings: { segmentBytesMax: 1 << 20 } });
    await cluster.startAll();
    let acknowledged = 0;
    for (let round = 0; round < 3; round++) {
      const leader = await cluster.leader();
      const load = await leader.ask({ kind: "load", callers: 50, seconds: 0.5, entryBytes: 200 }, "load");
      expect(load.applied).toBeGreaterThan(0);
      acknowledged += load.applied;
      const cut = leader
        .ask({ kind: "load", callers: 50, seconds: 10, entryBytes: 200 }, "load")
        .catch(() => undefined);
      await cluster.kill(leader.id);
      await cut;
      await proposeSomewhere(cluster, `round ${round}`);
      acknowledged++;
      await cluster.start(leader.id);
    }
    const reports = await untilEqual([...cluster.members.values()]);
    expect(new Set(reports.map(({ checksum }) => checksum)).size).toBe(1);
    expect(reports[0]?.count).toBeGreaterThanOrEqual(acknowledged);
  });

  it("comes back with everything after all were killed at once", async () => {
    cluster = await ProcessCluster.create(3);
    await cluster.startAll();
    const leader = await cluster.leader();
    const load = await leader.ask({ kind: "load", callers: 20, seconds: 0.5, entryBytes: 1000 }, "load");
    await cluster.killAll();
    await cluster.startAll();
    await proposeSomewhere(cluster, "after");
    const reports = await untilEqual([...cluster.members.values()]);
    expect(new Set(reports.map(({ checksum }) => checksum)).size).toBe(1);
    expect(reports[0]?.count).toBeGreaterThanOrEqual(load.applied + 1);
  });

  it("is whole again after bytes of its log were damaged while it was down", async () => {
    cluster = await ProcessCluster.create(3, { settings: { segmentBytesMax: 1 << 16 } });
    await cluster.startAll();
    const leader = await cluster.leader();
    const load = await leader.ask({ kind: "load", callers: 20, seconds: 0.5, entryBytes: 500 }, "load");
    const victim = must(
      [...cluster.members.keys()].find((id) => id !== leader.id),
      "there are followers",
    );
    await cluster.kill(victim);
    expect(await turnBits(join(cluster.directory, `member-${victim}`))).toBeGreaterThan(0);
    const back = await cluster.start(victim);
    const { status } = await statusOf(back);
    expect(status.standing).toBe("member");
    await proposeSomewhere(cluster, "after");
    const reports = await untilEqual([...cluster.members.values()]);
    expect(new Set(reports.map(({ checksum }) => checksum)).size).toBe(1);
    expect(reports[0]?.count).toBeGreaterThanOrEqual(load.applied + 1);
    expect((await statusOf(back)).status).toMatchObject({ missingEntries: 0, incarnation: status.incarnation });
    const { text } = await back.ask({ kind: "metrics" }, "metrics");
    expect(text).toMatch(/holdfast_raft_repaired_entries_total [1-9]/);
  });

  it("stops cleanly and goes on alone from its log", async () => {
    cluster = await ProcessCluster.create(1);
    await cluster.startAll();
    const only = await cluster.leader();
    expect((await only.ask({ kind: "propose", text: "alone" }, "proposed")).outcome).toBe("applied");
    expect(await only.stop()).toBe(0);
    cluster.members.clear();
    const again = await cluster.start(1);
    await cluster.leader();
    expect((await statusOf(again)).count).toBe(1);
  });
});
