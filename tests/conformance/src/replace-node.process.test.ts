import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, it } from "vitest";
import { CommandLine } from "./command-line.ts";
import { type LocalCluster, startLocalCluster, testUser } from "./local-cluster.ts";
import { NodeStart } from "./node-start.ts";
import { waitFor } from "./wait-for.ts";

const small = ["--masters", "1", "--chunkservers", "3", "--replication", "2", "--chunk-size-bytes", "1048576"];
const fileBytes = 24 << 20;
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface NodeSeen {
  readonly nodeId: number;
  readonly name: string;
  readonly zone: string;
  readonly chunkCount: number;
}

/** A small cluster with a file in it, seen through the command line. */
class World {
  readonly cluster: LocalCluster;
  readonly #folder: string;
  readonly #holdfast: CommandLine;

  constructor(cluster: LocalCluster, folder: string) {
    this.cluster = cluster;
    this.#folder = folder;
    this.#holdfast = new CommandLine(path.join(folder, "profile"));
  }

  async begin(content: Buffer): Promise<void> {
    const login = ["login", "--server", this.cluster.origin, "--email", testUser.email, "--password-stdin"];
    await this.#holdfast.ok(login, { input: testUser.password });
    await this.admin("balance", "pause");
    await this.#holdfast.ok(["put", "-", "/kept.bin"], { input: content });
    await this.isWhole();
  }

  async admin(...words: readonly string[]): Promise<string> {
    return (await this.#holdfast.ok(["admin", ...words])).stdout.toString();
  }

  async content(): Promise<Buffer> {
    return (await this.#holdfast.ok(["cat", "/kept.bin"])).stdout;
  }

  async isWhole(): Promise<void> {
    await this.admin("health", "--wait", "--strict", "--timeout", "60s");
  }

  async nodes(): Promise<ReadonlyMap<string, NodeSeen>> {
    const { nodes } = JSON.parse(await this.admin("node", "ls", "--json")) as { nodes: readonly NodeSeen[] };
    return new Map(nodes.map((node) => [node.name, node]));
  }

  /** Types the printed line on the "new machine". */
  async join(line: string, folder: string): Promise<NodeStart> {
    const [, token = ""] = /^npx holdfast node start --join (\S+) --data /.exec(line) ?? [];
    expect(token).toMatch(/^hfj_/);
    const node = new NodeStart(["--join", token, "--data", path.join(this.#folder, folder)]);
    cleanups.push(() => node.stop());
    await node.isIn();
    return node;
  }

  /** Each name stands for as many copies as before, and there are no others. */
  async holdsAs(before: ReadonlyMap<string, NodeSeen>): Promise<void> {
    const counts = (nodes: ReadonlyMap<string, NodeSeen>): string =>
      [...nodes.values()]
        .map(({ name, chunkCount }) => `${name} ${chunkCount}`)
        .sort()
        .join();
    await waitFor(`the nodes to hold ${counts(before)}`, async () => counts(await this.nodes()) === counts(before));
  }

  async isOut(name: string): Promise<void> {
    await waitFor(`${name} to be removed`, async () => !(await this.nodes()).has(name), 60_000);
  }
}

async function started(): Promise<World> {
  const cluster = await startLocalCluster({ flags: small });
  cleanups.push(() => cluster.destroy());
  const folder = await mkdtemp(path.join(tmpdir(), "holdfast-replace-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return new World(cluster, folder);
}

it("a live node, then one whose machine is gone, are replaced; the others keep what they have", async () => {
  const content = randomBytes(fileBytes);
  const world = await started();
  await world.begin(content);
  await world.admin("node", "label", "node-1", "--zone", "cellar");
  const before = await world.nodes();

  const newcomer = await world.join(await world.admin("node", "replace", "node-1"), "first");
  expect(newcomer.output).toContain("as node-1 (node 4)");
  await world.isOut("node-1.old");
  await world.isWhole();
  await world.holdsAs(before);
  expect((await world.nodes()).get("node-1")).toMatchObject({ nodeId: 4, zone: "cellar" });
  await waitFor("the old one to be told why", async () => {
    const log = await readFile(path.join(world.cluster.dataPath, "run", "node-1.log"), "utf8");
    return log.includes("was replaced by node-1 (node 4)");
  });
  expect((await world.content()).equals(content)).toBe(true);

  // Its machine is gone: nobody but the cluster remembers it.
  await newcomer.kill();
  await world.join(await world.admin("node", "replace", "node-1"), "second");
  await world.isOut("node-1.old");
  await world.isWhole();
  await world.holdsAs(before);
  expect((await world.nodes()).get("node-1")).toMatchObject({ nodeId: 5, zone: "cellar" });
  expect((await world.content()).equals(content)).toBe(true);
});

it("a process more here takes a node's place; from then on the node's name means this process", async () => {
  const content = randomBytes(fileBytes);
  const world = await started();
  await world.begin(content);
  const before = await world.nodes();
  expect(await world.admin("node", "replace", "node-2", "--here")).toContain("node-4 was started");
  await waitFor("the successor", async () => (await world.nodes()).get("node-2")?.nodeId === 4);
  await world.isOut("node-2.old");
  await world.isWhole();
  await world.holdsAs(before);
  await world.admin("node", "stop", "node-2", "--yes");
  expect(await world.cluster.pid("node-4")).toBeUndefined();
  expect(await world.cluster.pid("node-2")).toBeGreaterThan(0);
  // It has joined: its token is needed no more, and it comes back with its own identity.
  await world.admin("node", "start", "node-2");
  expect(await readdir(world.cluster.dataPath)).not.toContain("node-4.join");
  await world.isWhole();
  expect((await world.content()).equals(content)).toBe(true);
});
