import { create } from "@bufbuild/protobuf";
import { must } from "@holdfast/base";
import { CreateFolderSchema } from "@holdfast/proto/master/v1/master";
import { describe, expect, test } from "vitest";
import { clusterOf, userOf } from "../../test/sim-files.ts";
import type { SimMasters } from "../../test/sim-masters.ts";
import { entryTable } from "../domain/namespace/state.ts";
import { tablesOf } from "../domain/tables.ts";

/** What a bug or a failing memory would do: a folder has one child more, in this master's tables alone. */
function falsify(cluster: SimMasters, id: number, folderId: number): void {
  const { map } = cluster.world.machine(`master-${id}`).store("/data/projections");
  const tables = tablesOf({
    get: (key) => map.get(key),
    set: (key, value) => void map.set(key, value),
    delete: (key) => void map.set(key, undefined),
  });
  const folder = must(tables.get(entryTable, [folderId]), "the folder is there");
  tables.set(entryTable, [folderId], { ...folder, childCount: folder.childCount + 1 });
}

async function makeFolders(cluster: SimMasters, parentId: bigint, userId: bigint, names: readonly string[]) {
  for (const name of names) {
    const value = create(CreateFolderSchema, { userId, parentId, name });
    await cluster.execute({ case: "createFolder", value });
  }
}

const names = (count: number, prefix: string): readonly string[] =>
  Array.from({ length: count }, (_, number) => `${prefix} ${number}`);

const eventsOf = (cluster: SimMasters, event: string): readonly unknown[] =>
  cluster.log.records.filter((record) => record.event === event).map(({ fields }) => fields["master"]);

describe("a master whose tables are not what the log makes of them", () => {
  test.each(["follower", "leader"] as const)(
    "is found out, sets itself aside, and gets the others' state: a %s",
    async (who) => {
      const { cluster } = await clusterOf(7);
      const { userId, parentId } = await userOf(cluster);
      await makeFolders(cluster, parentId, userId, names(5, "before"));
      const wrong = must(
        cluster.ids.find((id) => id !== 1 || who === "leader"),
        "there are three",
      );
      await cluster.settled();
      await cluster.world.runFor(500);
      cluster.crash(wrong);
      falsify(cluster, wrong, Number(parentId));
      const { master } = await cluster.start(wrong);
      for (
        let leader = await cluster.leader();
        who === "leader" && leader.id !== wrong;
        leader = await cluster.leader()
      ) {
        cluster.crash(leader.id);
        await cluster.leader();
        await cluster.start(leader.id);
      }
      const isEnded = { is: false };
      master.raft.subscribe((event) => {
        if (event.kind === "diskFailed") isEnded.is = true;
      });
      await makeFolders(cluster, parentId, userId, names(140, "after"));
      expect(await cluster.world.runUntil(() => isEnded.is, 20_000)).toBe(true);
      expect(eventsOf(cluster, "master.state_diverged")).toEqual([`master-${wrong}`]);
      expect((await cluster.leader()).id).not.toBe(wrong);
      expect(master.readiness().isReady).toBe(false);

      cluster.crash(wrong);
      await cluster.start(wrong);
      await makeFolders(cluster, parentId, userId, names(70, "later"));
      expect(await cluster.settled(30_000)).toBe(true);
      await cluster.world.runFor(12_000);
      const states = [...cluster.masters.values()].map((each) =>
        Buffer.from(each.master.foldedState().stateHash).toString("hex"),
      );
      expect(new Set(states).size).toBe(1);
      expect(cluster.masters.get(wrong)?.master.raft.status().voters).toHaveLength(3);
      expect(eventsOf(cluster, "master.state_diverged")).toHaveLength(1);
    },
  );

  test("is told and nothing else where no majority says which is right", async () => {
    const { cluster } = await clusterOf(8);
    const { userId, parentId } = await userOf(cluster);
    await cluster.settled();
    await cluster.world.runFor(500);
    for (const id of [1, 2]) cluster.crash(id);
    falsify(cluster, 1, Number(parentId));
    for (const id of [1, 2]) await cluster.start(id);
    await cluster.leader();
    cluster.crash(3);
    await makeFolders(cluster, parentId, userId, names(140, "after"));
    await cluster.world.runFor(12_000);
    expect(new Set(eventsOf(cluster, "master.state_disputed"))).toEqual(new Set(["master-1", "master-2"]));
    expect(eventsOf(cluster, "master.state_diverged")).toEqual([]);
    expect((await cluster.leader()).master.readiness().isReady).toBe(true);
  });
});
