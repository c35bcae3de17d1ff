import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { create } from "@bufbuild/protobuf";
import { createMetrics, silentLogger } from "@holdfast/observability";
import {
  ListNodesRequestSchema,
  LocalNodesService,
  StartNodeRequestSchema,
} from "@holdfast/proto/supervisor/v1/supervisor";
import { createGrpcNetwork } from "@holdfast/rpc/node";
import { createNodeClock, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createJoinFiles, nodeNameOf } from "./join-files.ts";
import { LocalNodes } from "./local-nodes.ts";
import { openLocalNodesFile } from "./local-nodes-file.ts";
import { listenForGateway } from "./local-nodes-listener.ts";
import { openPortBook } from "./port-book.ts";
import { keepSecretFile, writeSecretFile } from "./secret-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "holdfast-supervisor-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("a secret file", () => {
  it("is made once, and only this user may read it", async () => {
    const file = path.join(folder, "join.secret");
    const secret = await keepSecretFile(file);
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(await keepSecretFile(file)).toBe(secret);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
  it("is new when it is written, and closed again to others who could read the old one", async () => {
    const file = path.join(folder, "supervisor.secret");
    await writeFile(`${file}.tmp`, "left over", { mode: 0o644 });
    const first = await writeSecretFile(file);
    expect(await writeSecretFile(file)).not.toBe(first);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
  it("that holds something else is refused and left as it is", async () => {
    const file = path.join(folder, "join.secret");
    await writeFile(file, "hunter2");
    await expect(keepSecretFile(file)).rejects.toMatchObject({ kind: "precondition" });
    expect(await readFile(file, "utf8")).toBe("hunter2");
  });
});

describe("the file of local nodes", () => {
  it("reads back", async () => {
    const file = path.join(folder, "local-nodes.json");
    const content = { added: ["node-5"], stopped: ["node-2", "node-5"] };
    await (await openLocalNodesFile(file)).write(content);
    expect((await openLocalNodesFile(file)).content).toEqual(content);
  });
  it.each(["", "[]", '{"format":2,"added":[],"stopped":[]}', '{"format":1,"added":["../x"],"stopped":[]}'])(
    "with %j is refused and left as it is",
    async (text) => {
      const file = path.join(folder, "local-nodes.json");
      await writeFile(file, text);
      await expect(openLocalNodesFile(file)).rejects.toMatchObject({ kind: "precondition" });
      expect(await readFile(file, "utf8")).toBe(text);
    },
  );
});

describe("the files to join with", () => {
  it("hold a token's secret for one node, for this user alone, until that node has joined", async () => {
    const shared = path.join(folder, "join.secret");
    const files = createJoinFiles(folder, shared);
    expect([await files.secretFileOf("node-5"), await files.nodeIdOf("node-5")]).toEqual([shared, 0]);
    await files.keep("node-5", "5".repeat(64));
    const own = path.join(folder, "node-5.join");
    expect(await files.secretFileOf("node-5")).toBe(own);
    expect(await files.secretFileOf("node-6")).toBe(shared);
    expect([await readFile(own, "utf8"), (await stat(own)).mode & 0o777]).toEqual([`${"5".repeat(64)}\n`, 0o600]);
    await mkdir(path.join(folder, "node-5"));
    const identity = path.join(folder, "node-5", "node.json");
    await writeFile(identity, JSON.stringify({ formatVersion: 1, nodeId: 0 }));
    expect(await files.secretFileOf("node-5")).toBe(own);
    await writeFile(identity, JSON.stringify({ formatVersion: 1, nodeId: 9 }));
    expect([await files.nodeIdOf("node-5"), await files.secretFileOf("node-5")]).toEqual([9, shared]);
    await expect(stat(own)).rejects.toMatchObject({ code: "ENOENT" });
  });
  it("know nobody by a damaged identity, and a node by its file alone", async () => {
    await mkdir(path.join(folder, "node-5"));
    await writeFile(path.join(folder, "node-5", "node.json"), "{");
    expect(await createJoinFiles(folder, "").nodeIdOf("node-5")).toBe(0);
    expect(["node-5.join", "node-5"].map(nodeNameOf)).toEqual(["node-5", "node-5"]);
  });
});

describe("the port book", () => {
  it("gives what it gave before, and nothing twice", async () => {
    const file = path.join(folder, "ports.json");
    const book = await openPortBook(file);
    const given = { ...(await book.take(["a", "b"])), ...(await book.take(["c"])) };
    expect(new Set(Object.values(given)).size).toBe(3);
    const again = await openPortBook(file);
    expect(await again.take(["c", "a"])).toEqual({ a: given["a"], c: given["c"] });
  });
  it("never gives the port on which the gateway will listen, free as it is", async () => {
    const file = path.join(folder, "ports.json");
    const { a } = await (await openPortBook(file)).take(["a"]);
    const gatewayPort = a ?? 0;
    expect((await (await openPortBook(file, { reserved: [gatewayPort] })).take(["a"]))["a"]).not.toBe(gatewayPort);
    const fromBase = await openPortBook(file, { basePort: gatewayPort, reserved: [gatewayPort] });
    expect((await fromBase.take(["a"]))["a"]).toBeGreaterThan(gatewayPort);
  });
  it("starts anew from a damaged file", async () => {
    await writeFile(path.join(folder, "ports.json"), "{");
    expect(await (await openPortBook(path.join(folder, "ports.json"))).take(["a"])).toHaveProperty("a");
  });
});

describe("the service for the gateway", () => {
  it("answers those who show the secret, and denies the others", async () => {
    const keptSecrets: string[] = [];
    const nodes = new LocalNodes({
      plannedNames: ["node-1"],
      takenNames: [],
      file: await openLocalNodesFile(path.join(folder, "local-nodes.json")),
      keepJoinSecret: async (name, joinSecret) => void keptSecrets.push(`${name} ${joinSecret}`),
      makeProcess: async () => ({ state: "running", pid: 7, start: () => undefined, stop: async () => undefined }),
    });
    const ports = { clock: createNodeClock(), timers: createNodeTimers(), random: createNodeRandom() };
    const network = createGrpcNetwork({ ...ports, logger: silentLogger, metrics: createMetrics() });
    const { port } = await openPortBook(path.join(folder, "ports.json")).then((book) => book.take(["port"]));
    const listener = await listenForGateway(`127.0.0.1:${port}`, {
      ...{ nodes, secret: "s".repeat(64) },
      nodeIdOf: async (name) => (name === "node-1" ? 7 : 0),
    });
    try {
      const client = network.client(LocalNodesService, `127.0.0.1:${port}`);
      const secret = "s".repeat(64);
      await expect(client.listNodes(create(ListNodesRequestSchema, { secret: "" }))).rejects.toMatchObject({
        kind: "denied",
      });
      await expect(client.startNode(create(StartNodeRequestSchema, { secret: "t" }))).rejects.toMatchObject({
        kind: "denied",
      });
      expect((await client.startNode(create(StartNodeRequestSchema, { secret }))).name).toBe("node-2");
      expect((await client.listNodes(create(ListNodesRequestSchema, { secret }))).nodes).toMatchObject([
        { name: "node-1", state: "stopped", pid: 0, nodeId: 7 },
        { name: "node-2", state: "running", pid: 7, nodeId: 0 },
      ]);
      const joinSecret = "5".repeat(64);
      expect((await client.startNode(create(StartNodeRequestSchema, { secret, joinSecret }))).name).toBe("node-3");
      expect(keptSecrets).toEqual([`node-3 ${joinSecret}`]);
    } finally {
      await listener.close();
      await network.close();
    }
  });
});
