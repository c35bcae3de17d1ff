import { randomBytes } from "node:crypto";
import { cp, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Liveness } from "@holdfast/proto/model/v1/model";
import { afterEach, describe, expect, it } from "vitest";
import { type EdgeClient, signIn } from "./edge-client.ts";
import { type LocalCluster, startLocalCluster } from "./local-cluster.ts";
import { NodeStart } from "./node-start.ts";
import { waitFor } from "./wait-for.ts";

const small = ["--masters", "1", "--chunkservers", "2", "--replication", "2"];
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function started(dataPath?: string): Promise<{ cluster: LocalCluster; client: EdgeClient }> {
  const cluster = await startLocalCluster({ flags: small, ...(dataPath === undefined ? {} : { dataPath }) });
  cleanups.push(() => cluster.destroy());
  return { cluster, client: await signIn(cluster.origin) };
}

async function nodesOf(
  client: EdgeClient,
): Promise<ReadonlyMap<string, { liveness: Liveness; zone: string; rack: string }>> {
  const { status } = await client.admin.getStatus({});
  return new Map((status?.nodes ?? []).map((node) => [node.name, node]));
}

async function waitForLiveness(client: EdgeClient, name: string, liveness: Liveness): Promise<void> {
  await waitFor(
    `${name} to have liveness ${liveness}`,
    async () => (await nodesOf(client)).get(name)?.liveness === liveness,
  );
}

function nodeStart(words: readonly string[]): NodeStart {
  const node = new NodeStart(words);
  cleanups.push(() => node.stop());
  return node;
}

describe("the chunkservers of npm start", () => {
  it("can be more, can be stopped, and all of it is remembered over a restart", async () => {
    const { cluster, client } = await started();
    const { isAvailable, nodes } = await client.admin.listLocalNodes({});
    expect(isAvailable).toBe(true);
    expect(nodes.map(({ name, state }) => `${name} ${state}`)).toEqual(["node-1 running", "node-2 running"]);
    expect((await client.admin.startLocalNode({})).name).toBe("node-3");
    await waitForLiveness(client, "node-3", Liveness.LIVE);
    await client.admin.stopLocalNode({ name: "node-1" });
    expect(await cluster.pid("node-1")).toBeUndefined();
    await expect(client.admin.startLocalNode({ name: "node-77" })).rejects.toThrow("There is no node");
    for (const name of ["join.secret", "run/supervisor.secret"])
      expect((await stat(path.join(cluster.dataPath, name))).mode & 0o777).toBe(0o600);
    const stoppedAtMs = performance.now();
    expect(await cluster.stop()).toBe(0);
    expect(performance.now() - stoppedAtMs).toBeLessThan(12_000);

    const again = await started(cluster.dataPath);
    const after = await again.client.admin.listLocalNodes({});
    expect(after.nodes.map(({ name, state }) => `${name} ${state}`)).toEqual([
      ...["node-1 stopped", "node-2 running", "node-3 running"],
    ]);
    expect((await again.client.admin.startLocalNode({ name: "node-1" })).name).toBe("node-1");
    await waitForLiveness(again.client, "node-1", Liveness.LIVE);
  });

  it("have their secrets in no flag and no log", async () => {
    const { cluster } = await started();
    const secrets = await Promise.all(
      ["join.secret", "run/supervisor.secret"].map((name) => readFile(path.join(cluster.dataPath, name), "utf8")),
    );
    for (const name of ["master-1", "node-1", "gateway-1"]) {
      const flags = await readFile(`/proc/${await cluster.pid(name)}/cmdline`, "utf8");
      const log = await readFile(path.join(cluster.dataPath, "run", `${name}.log`), "utf8");
      for (const secret of secrets) expect(flags + log).not.toContain(secret.trim());
    }
  });
});

describe("holdfast node start", () => {
  it("joins with a token once, comes back without it, and is refused in words where it does not belong", async () => {
    const { client } = await started();
    const folder = await mkdtemp(path.join(tmpdir(), "holdfast-node-"));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const data = (name: string): string => path.join(folder, name);
    const { joinToken } = await client.admin.createJoinToken({ label: "a test" });

    const first = nodeStart([
      "--join",
      joinToken,
      "--data",
      data("far"),
      "--name",
      "far",
      "--zone",
      "z",
      "--rack",
      "r",
    ]);
    await first.isIn();
    expect((await nodesOf(client)).get("far")).toMatchObject({ zone: "z", rack: "r" });

    const used = nodeStart(["--join", joinToken, "--data", data("second")]);
    expect(await used.exited).toBe(5);
    expect(used.output).toContain("was used by far");
    const inUse = nodeStart(["--data", data("far")]);
    expect(await inUse.exited).toBe(4);
    expect(inUse.output).toContain("in use by another chunkserver");
    await cp(data("far"), data("copy"), { recursive: true, filter: (source) => !source.endsWith("lock") });
    const copied = nodeStart(["--data", data("copy")]);
    expect(await copied.exited).toBe(4);
    expect(copied.output).toContain("has a copy of its directory");

    expect(await first.stop()).toBe(0);
    const again = nodeStart(["--data", data("far"), "--zone", "z", "--rack", "r"]);
    await again.isIn();
    await waitForLiveness(client, "far", Liveness.LIVE);
    expect(await readFile(path.join(data("far"), "node.json"), "utf8")).not.toContain(joinToken.slice(-40));

    const { status } = await client.admin.getStatus({});
    const nodeId = status?.nodes.find(({ name }) => name === "far")?.nodeId ?? 0;
    const removal = { case: "removeNode", value: { nodeId, isForced: true } } as const;
    const requestId = randomBytes(16).toString("hex");
    await client.admin.changeFleet({ requestId, command: { command: removal } });
    expect(await again.exited).toBe(4);
    expect(again.output).toContain("removed");
    const returned = nodeStart(["--data", data("far")]);
    expect(await returned.exited).toBe(4);
    expect(returned.output).toContain("removed");
    const token = (await client.admin.createJoinToken({})).joinToken;
    const replacement = nodeStart(["--join", token, "--data", data("new"), "--name", "far"]);
    await replacement.isIn();
    await waitForLiveness(client, "far", Liveness.LIVE);
  });

  it("is refused with the token of another cluster and in the directory of one", async () => {
    const [one, other] = [await started(), await started()];
    const folder = await mkdtemp(path.join(tmpdir(), "holdfast-node-"));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const tokenOf = async ({ client }: { readonly client: EdgeClient }): Promise<string> =>
      (await client.admin.createJoinToken({})).joinToken;
    const node = nodeStart(["--join", await tokenOf(one), "--data", folder, "--name", "far"]);
    await node.isIn();
    expect(await node.stop()).toBe(0);
    const foreign = nodeStart(["--join", await tokenOf(other), "--data", folder]);
    expect(await foreign.exited).toBe(1);
    expect(foreign.output).toContain("belongs to cluster");
    expect((await other.client.admin.getStatus({})).status?.nodes.length).toBe(2);
  });
});
