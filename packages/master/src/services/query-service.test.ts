import { create } from "@bufbuild/protobuf";
import {
  ExecuteRequestSchema,
  GetClusterStatusResponseSchema,
  QueryService,
  type GetEntryResponse,
  type GetFileLayoutResponse,
  type GetMasterStatusResponse,
  type GetStateHashesResponse,
  type GetSessionResponse,
  type GetUploadResponse,
  type GetUserResponse,
  type ListEventsResponse,
  type ListFolderResponse,
  type ListSessionsResponse,
  type ListTrashResponse,
  type ListUsersResponse,
  type ResolvePathResponse,
} from "@holdfast/proto/master/v1/master";
import type { ServedService } from "@holdfast/rpc";
import { beforeEach, describe, expect, it } from "vitest";
import { ReadGate } from "../application/read-gate.ts";
import { commitFile, createUser, testChunkSizeBytes } from "../testing/domain-world.ts";
import { createFolder, TestMaster } from "../testing/test-master.ts";
import { createCommandService } from "./command-service.ts";
import { createQueryService } from "./query-service.ts";

let master: TestMaster;
let queries: ServedService;
let commands: ServedService;
let userId: number;
let rootId: number;

type Handler = (
  request: unknown,
  context: { signal: AbortSignal; requestId: string; peer: string },
) => Promise<unknown>;

async function call<T>(service: ServedService, method: string, request: object): Promise<T> {
  const handler = service.handlers[method] as Handler;
  return (await handler(request, { signal: new AbortController().signal, requestId: "t", peer: "" })) as T;
}

/** A query with its fields' defaults. */
function ask<T>(method: keyof typeof QueryService.method, fields: object): Promise<T> {
  return call<T>(queries, method, create(QueryService.method[method].input, fields));
}

beforeEach(async () => {
  master = new TestMaster();
  ({ userId, rootId } = await master.initialise());
  const { raft, store, clock } = master;
  queries = createQueryService({
    ...{ raft, store, clock },
    hashes: { list: () => [{ index: 64, stateHash: new Uint8Array(32).fill(7) }] },
    gate: new ReadGate(raft),
    self: { name: "master-1", address: "127.0.0.1:1" },
    rankPlaces: (_tables, nodeIds) => nodeIds.map((nodeId) => ({ nodeId, address: `node-${nodeId}:1` })),
    clusterStatus: async () => create(GetClusterStatusResponseSchema),
  });
  commands = createCommandService(master.handler, master.store);
});

async function makeFolders(names: readonly string[], parentId = rootId): Promise<readonly number[]> {
  const ids: number[] = [];
  for (const name of names) ids.push((await master.execute(createFolder(userId, parentId, name))).outcome.entryId ?? 0);
  return ids;
}

describe("entries", () => {
  it("are given with the folders above them", async () => {
    const [a = 0] = await makeFolders(["a"]);
    const [b = 0] = await makeFolders(["b"], a);
    const { entry, ancestors, index } = await ask<GetEntryResponse>("getEntry", {
      entryId: BigInt(b),
      userId: BigInt(userId),
    });
    expect(entry).toMatchObject({ name: "b", parentId: BigInt(a) });
    expect(ancestors.map((each) => each.name)).toEqual(["", "a"]);
    expect(Number(index)).toBe(master.stateMachine.appliedIndex());
  });

  it("are not there for others", async () => {
    const [a = 0] = await makeFolders(["a"]);
    await expect(ask("getEntry", { entryId: BigInt(a), userId: 99n })).rejects.toMatchObject({ kind: "notFound" });
    await expect(ask("listFolder", { folderId: BigInt(a), userId: 99n })).rejects.toMatchObject({ kind: "notFound" });
    await expect(ask("getEntry", { entryId: 2n ** 60n })).rejects.toMatchObject({ kind: "invalidArgument" });
    await expect(ask("getEntry", { entryId: BigInt(a) })).resolves.toBeDefined();
  });

  it("are found by path, in any Unicode form, also with a slash at the end", async () => {
    const [folder = 0] = await makeFolders(["Müll"]);
    await makeFolders(["x"], folder);
    for (const path of ["/Müll/x", "/Mu\u0308ll/x/", "//Müll//x"]) {
      const { entry } = await ask<ResolvePathResponse>("resolvePath", { userId: BigInt(userId), path });
      expect(entry?.name).toBe("x");
    }
    expect((await ask<ResolvePathResponse>("resolvePath", { userId: BigInt(userId), path: "/" })).entry?.entryId).toBe(
      BigInt(rootId),
    );
    await expect(ask("resolvePath", { userId: BigInt(userId), path: "/Müll/y" })).rejects.toMatchObject({
      kind: "notFound",
    });
    await expect(ask("resolvePath", { userId: BigInt(userId), path: "/../Müll" })).rejects.toMatchObject({
      kind: "notFound",
    });
    await expect(ask("resolvePath", { userId: BigInt(userId), path: "Müll" })).rejects.toMatchObject({
      kind: "invalidArgument",
    });
    await expect(ask("resolvePath", { userId: BigInt(userId), path: "/a\0" })).rejects.toMatchObject({
      kind: "invalidArgument",
    });
    await expect(ask("resolvePath", { userId: 99n, path: "/" })).rejects.toMatchObject({ kind: "notFound" });
  });
});

describe("folder pages", () => {
  const list = (fields: object) =>
    ask<ListFolderResponse>("listFolder", { folderId: BigInt(rootId), userId: BigInt(userId), ...fields });
  const namesOf = (page: { readonly entries: readonly { readonly name: string }[] }) =>
    page.entries.map((entry) => entry.name);

  it("come by offset and by cursor, folders first, in reading order", async () => {
    await makeFolders(["f10", "f9", "F1"]);
    await master.execute(commitFile({ userId, parentId: rootId, name: "a" }));
    const whole = await list({});
    expect(namesOf(whole)).toEqual(["F1", "f9", "f10", "a"]);
    expect(whole).toMatchObject({ totalCount: 4, cursor: new Uint8Array(0) });
    expect(whole.folder?.childCount).toBe(4);
    expect(namesOf(await list({ offset: 1, limit: 2 }))).toEqual(["f9", "f10"]);
    const first = await list({ limit: 3 });
    const second = await list({ limit: 3, cursor: first.cursor });
    expect([namesOf(first), namesOf(second)]).toEqual([["F1", "f9", "f10"], ["a"]]);
    expect(second.cursor).toHaveLength(0);
    expect(namesOf(await list({ offset: 4_000_000_000 }))).toEqual([]);
  });

  it("go on behind a cursor whose row is gone", async () => {
    const [, second = 0] = await makeFolders(["a", "b", "c", "d"]);
    const page = await list({ limit: 2 });
    await master.execute({ kind: "trashEntry", userId, entryId: second, onlyIfEmpty: false });
    expect(namesOf(await list({ limit: 2, cursor: page.cursor }))).toEqual(["c", "d"]);
  });

  it("refuse files, large limits and cursors that are none", async () => {
    const { outcome } = await master.execute(commitFile({ userId, parentId: rootId, name: "a" }));
    await expect(list({ folderId: BigInt(outcome.entryId ?? 0) })).rejects.toMatchObject({ kind: "notFound" });
    await expect(list({ limit: 1001 })).rejects.toMatchObject({ kind: "invalidArgument" });
    await expect(list({ cursor: new Uint8Array(5000) })).rejects.toMatchObject({ kind: "invalidArgument" });
    await expect(list({ cursor: Uint8Array.of(255) })).resolves.toMatchObject({ entries: [] });
  });

  it("show the trash newest first", async () => {
    const ids = await makeFolders(["a", "b", "c"]);
    for (const entryId of ids) {
      master.clock.nowMs += 10;
      await master.execute({ kind: "trashEntry", userId, entryId, onlyIfEmpty: false });
    }
    const first = await ask<ListTrashResponse>("listTrash", { userId: BigInt(userId), limit: 2 });
    const second = await ask<ListTrashResponse>("listTrash", {
      userId: BigInt(userId),
      limit: 2,
      cursor: first.cursor,
    });
    expect([namesOf(first), namesOf(second)]).toEqual([["c", "b"], ["a"]]);
    expect(first.entries[0]).toMatchObject({ originParentId: BigInt(rootId), trashedAtMs: BigInt(master.clock.nowMs) });
  });
});

describe("files", () => {
  it("give inline content, of the current and of an earlier version", async () => {
    const store = (byte: number) =>
      master.execute(
        commitFile({
          userId,
          parentId: rootId,
          name: "a",
          conflict: 2,
          sizeBytes: 1,
          inlineContent: Uint8Array.of(byte),
        }),
      );
    const first = await store(1);
    const { outcome } = await store(2);
    const layout = (fields: object) =>
      ask<GetFileLayoutResponse>("getFileLayout", { entryId: BigInt(outcome.entryId ?? 0), ...fields });
    expect((await layout({})).inlineContent).toEqual(Uint8Array.of(2));
    expect((await layout({ versionId: BigInt(first.outcome.versionId ?? 0) })).inlineContent).toEqual(Uint8Array.of(1));
    expect((await layout({})).clusterId).toBe("c".repeat(32));
    await expect(layout({ versionId: 99n })).rejects.toMatchObject({ kind: "notFound" });
    await expect(layout({ entryId: BigInt(rootId) })).rejects.toMatchObject({ kind: "notFound" });
  });

  it("show uploads to their owner until they expire", async () => {
    const uploadId = "ab".repeat(16);
    const partSizeBytes = testChunkSizeBytes;
    await master.execute({
      kind: "startUpload",
      uploadId,
      userId,
      parentId: rootId,
      name: "f",
      sizeBytes: 5,
      partSizeBytes,
      conflict: 1,
    });
    const upload = await ask<GetUploadResponse>("getUpload", { uploadId, userId: BigInt(userId) });
    expect(upload).toMatchObject({ name: "f", sizeBytes: 5n, partSizeBytes, parts: [] });
    await expect(ask("getUpload", { uploadId, userId: 99n })).rejects.toMatchObject({ kind: "notFound" });
    await expect(ask("getUpload", { uploadId: "\0" })).rejects.toMatchObject({ kind: "notFound" });
    master.clock.nowMs = Number(upload.expiresAtMs);
    await expect(ask("getUpload", { uploadId })).rejects.toMatchObject({ kind: "notFound" });
  });
});

describe("accounts", () => {
  it("give the hash only where a password is checked", async () => {
    const { user } = await ask<GetUserResponse>("getUser", { email: " ANN@example.org" });
    expect(user).toMatchObject({ userId: BigInt(userId), rootEntryId: BigInt(rootId) });
    expect(user?.passwordHash).toMatch(/^\$argon2id/);
    expect((await ask<GetUserResponse>("getUser", { userId: BigInt(userId) })).user?.email).toBe("ann@example.org");
    await expect(ask("getUser", { email: "x@y" })).rejects.toMatchObject({ kind: "notFound" });
    await expect(ask("getUser", {})).rejects.toMatchObject({ kind: "notFound" });
    await master.execute(createUser({ email: "aaron@example.org" }));
    const { users, needsSetup } = await ask<ListUsersResponse>("listUsers", {});
    expect(users.map((each) => [each.email, each.passwordHash])).toEqual([
      ["aaron@example.org", ""],
      ["ann@example.org", ""],
    ]);
    expect(needsSetup).toBe(false);
  });

  it("know sessions until they expire", async () => {
    const tokenSha256 = new Uint8Array(32).fill(5);
    await master.execute({
      kind: "startSession",
      tokenSha256,
      userId,
      channel: "cli",
      lifetimeMs: 1000,
      client: "holdfast",
    });
    const { session, user } = await ask<GetSessionResponse>("getSession", { tokenSha256 });
    expect(session).toMatchObject({ channel: "cli", client: "holdfast", userId: BigInt(userId) });
    expect(user).toMatchObject({ email: "ann@example.org", passwordHash: "" });
    expect((await ask<ListSessionsResponse>("listSessions", { userId: BigInt(userId) })).sessions).toHaveLength(1);
    await expect(ask("getSession", { tokenSha256: new Uint8Array(32) })).rejects.toMatchObject({ kind: "notFound" });
    await expect(ask("getSession", { tokenSha256: new Uint8Array(5) })).rejects.toMatchObject({ kind: "notFound" });
    master.clock.nowMs += 1000;
    await expect(ask("getSession", { tokenSha256 })).rejects.toMatchObject({ kind: "notFound" });
    expect((await ask<ListSessionsResponse>("listSessions", { userId: BigInt(userId) })).sessions).toHaveLength(0);
  });
});

describe("freshness", () => {
  it("asks Raft unless an index is named", async () => {
    await makeFolders(["a"]);
    const before = master.raft.readIndexCount;
    await ask("listFolder", { folderId: BigInt(rootId), atLeastIndex: BigInt(master.stateMachine.appliedIndex()) });
    expect(master.raft.readIndexCount).toBe(before);
    await ask("listFolder", { folderId: BigInt(rootId) });
    expect(master.raft.readIndexCount).toBe(before + 1);
  });

  it("shares a round among reads that come together, but not one that had begun", async () => {
    const before = master.raft.readIndexCount;
    await Promise.all(Array.from({ length: 50 }, () => ask("listFolder", { folderId: BigInt(rootId) })));
    expect(master.raft.readIndexCount).toBe(before + 2);
  });

  it("answers named indexes on a follower and nothing else", async () => {
    await makeFolders(["a"]);
    const atLeastIndex = BigInt(master.stateMachine.appliedIndex());
    master.raft.loseLeadership();
    await expect(ask("listFolder", { folderId: BigInt(rootId), atLeastIndex })).resolves.toMatchObject({
      totalCount: 1,
    });
    await expect(ask("listFolder", { folderId: BigInt(rootId) })).rejects.toMatchObject({ kind: "notLeader" });
    const status = await ask<GetMasterStatusResponse>("getMasterStatus", {});
    expect(status).toMatchObject({ isReadyLeader: false, leaderId: 2, clusterId: "c".repeat(32) });
    expect(status.stateHash).toEqual(master.stateMachine.foldedState().stateHash);
    const { hashes } = await ask<GetStateHashesResponse>("getStateHashes", {});
    expect(hashes).toMatchObject([{ index: 64n, stateHash: new Uint8Array(32).fill(7) }]);
  });
});

describe("events", () => {
  it("are listed newest first in words, page by page, without secrets", async () => {
    const tokenSha256 = new Uint8Array(32).fill(0x5a);
    await master.execute({ kind: "startSession", tokenSha256, userId, channel: "cli", lifetimeMs: 1000, client: "x" });
    await makeFolders(["a", "b"]);
    await master.execute({
      kind: "changePassword",
      userId,
      passwordHash: "$argon2id$topsecret",
      keepTokenSha256: new Uint8Array(0),
    });
    const all = await ask<ListEventsResponse>("listEvents", {});
    expect(all.events.map((event) => event.type)).toEqual([
      "SessionEnded",
      "UserPasswordChanged",
      "FolderCreated",
      "FolderCreated",
      "SessionStarted",
      "UserCreated",
      "ClusterInitialised",
    ]);
    const text = JSON.stringify(all.events.map((event) => event.summary));
    expect(text).toContain('Folder \\"a\\" made');
    expect(text).not.toMatch(/argon2|topsecret|5a5a/i);
    const paged = [];
    for (let beforeIndex = 0n; ;) {
      const page = await ask<ListEventsResponse>("listEvents", { limit: 2, beforeIndex });
      if (page.events.length === 0) break;
      paged.push(...page.events);
      beforeIndex = page.events.at(-1)?.index ?? 0n;
    }
    expect(paged).toEqual(all.events);
  });
});

describe("command service", () => {
  const execute = (fields: object) =>
    call<{ outcome: { entryId: bigint }; index: bigint }>(commands, "execute", create(ExecuteRequestSchema, fields));
  const folder = { command: { case: "createFolder", value: { parentId: 0n, name: "x", userId: 0n } } } as const;

  it("carries commands out", async () => {
    const command = {
      command: { case: "createFolder", value: { parentId: BigInt(rootId), name: "x", userId: BigInt(userId) } },
    } as const;
    const first = await execute({ requestId: "r", actor: "user:1", command });
    expect(first.outcome.entryId).toBeGreaterThan(0n);
    expect(await execute({ requestId: "r", actor: "user:1", command })).toEqual(first);
  });

  it.each([
    ["no command", { requestId: "r", actor: "user:1" }],
    ["empty command", { requestId: "r", actor: "user:1", command: {} }],
    ["no request id", { actor: "user:1", command: folder }],
    ["no actor", { requestId: "r", command: folder }],
    ["actor with blanks", { requestId: "r", actor: "user 1", command: folder }],
    ["long actor", { requestId: "r", actor: "u".repeat(200), command: folder }],
    [
      "huge id",
      { requestId: "r", actor: "u", command: { command: { case: "trashEntry", value: { entryId: 2n ** 63n } } } },
    ],
  ])("refuses %s", async (_why, request) => {
    await expect(execute(request)).rejects.toMatchObject({ kind: "invalidArgument" });
  });
});
