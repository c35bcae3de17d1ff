import { once } from "node:events";
import { rm } from "node:fs/promises";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  CommandService,
  type CommandSchema,
  ExecuteRequestSchema,
  GetClusterStatusRequestSchema,
  ListFolderRequestSchema,
  QueryService,
  type ExecuteResponse,
} from "@holdfast/proto/master/v1/master";
import { afterEach, expect, test } from "vitest";
import { ProcessMasters } from "../test/process-masters.ts";

let masters: ProcessMasters | undefined;

afterEach(async () => {
  await masters?.destroy();
  masters = undefined;
});

type CommandInit = NonNullable<MessageInitShape<typeof CommandSchema>["command"]>;

function execute(cluster: ProcessMasters, requestId: string, command: CommandInit): Promise<ExecuteResponse> {
  const request = create(ExecuteRequestSchema, { requestId, actor: "gateway:test", command: { command } });
  return cluster.caller.call(CommandService, (client, options) => client.execute(request, options), {
    timeoutMs: 20_000,
  });
}

test("real masters: execute, read, lose the leader by kill -9 under load, all at once, and stop cleanly", async () => {
  const cluster = (masters = await ProcessMasters.create(3));
  cluster.startAll();
  await cluster.leader();
  const user = await execute(cluster, "user", {
    case: "createUser",
    value: { email: "a@b.example", passwordHash: "$argon2id$x" },
  });
  const { userId = 0n, entryId: folderId = 0n } = user.outcome ?? {};
  const makeFolder = (number: number): Promise<ExecuteResponse> =>
    execute(cluster, `folder-${number}`, {
      case: "createFolder",
      value: { parentId: folderId, name: `folder ${number}`, userId },
    });
  await Promise.all(Array.from({ length: 100 }, (_, number) => makeFolder(number)));

  const underLoad = Promise.all(Array.from({ length: 200 }, (_, number) => makeFolder(100 + number)));
  const leader = await cluster.leader();
  await cluster.end(leader, "SIGKILL");
  await underLoad;
  cluster.start(leader);

  for (const id of cluster.ids) await cluster.end(id, "SIGKILL").catch(() => undefined);
  cluster.startAll();
  const repeated = await makeFolder(7);
  expect(repeated.outcome?.entryId).toBeGreaterThan(0n);
  const list = await cluster.caller.call(QueryService, (client, options) =>
    client.listFolder(create(ListFolderRequestSchema, { folderId, userId, limit: 1000 }), options),
  );
  expect(list.totalCount).toBe(300);
  expect(new Set(list.entries.map((entry) => entry.name)).size).toBe(300);
  expect((await cluster.agreed()).size).toBe(1);
  const status = await cluster.caller.call(QueryService, (client, options) =>
    client.getClusterStatus(create(GetClusterStatusRequestSchema), options),
  );
  expect(status.masters.map((master) => master.role).toSorted()).toEqual(["follower", "follower", "leader"]);
  for (const id of cluster.ids) expect(await cluster.end(id, "SIGTERM")).toBe(0);
});

test("a master's data folder is deleted while clients work, killed or running: it is back in service by itself", async () => {
  const cluster = (masters = await ProcessMasters.create(3));
  cluster.startAll();
  await cluster.leader();
  const { outcome } = await execute(cluster, "user", {
    case: "createUser",
    value: { email: "a@b.example", passwordHash: "$argon2id$x" },
  });
  const owner = { userId: outcome?.userId ?? 0n, parentId: outcome?.entryId ?? 0n };
  const work = { isOver: false, folders: 0 };
  const working = (async (): Promise<void> => {
    while (!work.isOver) {
      await execute(cluster, `f${work.folders}`, {
        case: "createFolder",
        value: { ...owner, name: `f ${work.folders}` },
      });
      work.folders++;
    }
  })();
  const isBack = async (id: number): Promise<boolean> => {
    const [own, leading] = [await cluster.status(id), await cluster.status(await cluster.leader())];
    const isCaughtUp = (own?.master?.appliedIndex ?? 0n) + 50n > (leading?.master?.appliedIndex ?? 0n);
    return own?.master?.role === "follower" && isCaughtUp;
  };
  const follower = (leader: number): number => cluster.ids.find((id) => id !== leader) ?? 0;
  const killed = follower(await cluster.leader());
  await cluster.end(killed, "SIGKILL");
  await rm(cluster.dataOf(killed), { recursive: true });
  cluster.start(killed);
  while (!(await isBack(killed)));

  // A supervisor does the same: it starts again what ended.
  const leader = await cluster.leader();
  const ended = once(cluster.processOf(leader), "exit");
  await rm(cluster.dataOf(leader), { recursive: true });
  expect(await ended).toEqual([1, null]);
  cluster.start(leader);
  while (!(await isBack(leader)));

  work.isOver = true;
  await working;
  expect(work.folders).toBeGreaterThan(20);
  expect((await cluster.agreed()).size).toBe(1);
  for (const id of cluster.ids) expect(await cluster.end(id, "SIGTERM")).toBe(0);
});

test("a master refuses a folder of another cluster, a folder in use, and settings that are wrong, in words", async () => {
  const cluster = (masters = await ProcessMasters.create(1));
  const running = cluster.start(1);
  await cluster.leader();
  const ended = async (changes: Readonly<Record<string, string>>): Promise<{ code: number | null; output: string }> => {
    const child = cluster.start(1, changes);
    const [code] = (await once(child, "exit")) as [number | null];
    return { code, output: cluster.output(1) };
  };
  const inUse = await ended({ "--listen": "127.0.0.1:0" });
  expect(inUse).toMatchObject({ code: 1 });
  expect(inUse.output).toContain("open in another process");
  const over = once(running, "exit");
  running.kill("SIGTERM");
  await over;
  const foreign = await ended({ "--cluster-id": "f".repeat(32) });
  expect(foreign).toMatchObject({ code: 1 });
  expect(foreign.output).toContain("cluster");
  const wrong = await ended({ "--peers": "2=127.0.0.1:1,x", "--cluster-id": "abc" });
  expect(wrong).toMatchObject({ code: 2 });
  expect(wrong.output).toContain('"x" is not id=host:port');
  expect(wrong.output).toContain("does not name this master (1)");
  expect(wrong.output).toContain("32 lower-case hex digits");
});
