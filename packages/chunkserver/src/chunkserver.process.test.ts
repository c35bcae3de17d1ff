import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { must } from "@holdfast/base";
import { createMetrics, silentLogger } from "@holdfast/observability";
import { ChunkControlService, ChunkDataService, StatChunkRequestSchema } from "@holdfast/proto/chunk/v1/chunk";
import type { Network } from "@holdfast/rpc";
import { createGrpcNetwork } from "@holdfast/rpc/node";
import { createNodeClock, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleBytes } from "./store/chunk-store.contract.ts";
import { FakeLeader } from "./testing/fake-leader.ts";
import { chunkFrames } from "./testing/chunk-frames.ts";

const mebibyte = 1024 * 1024;

/** A chunkserver process under a fake leader. */
interface Node {
  readonly name: string;
  readonly nodeId: number;
  readonly address: string;
  readonly process: ChildProcess;
}

let directory: string;
let network: Network;
let leader: FakeLeader;
let leaderAddress: string;
let running: ChildProcess[];

async function startNode(name: string, flags: readonly string[] = []): Promise<Node> {
  const earlier = leader.reportsOf(name).length;
  const options = [
    "--name",
    name,
    "--listen",
    "127.0.0.1:0",
    "--masters",
    leaderAddress,
    "--data",
    join(directory, name),
    ...flags,
  ];
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), ...options], { stdio: "ignore" });
  running.push(child);
  await expect
    .poll(
      () =>
        leader
          .reportsOf(name)
          .slice(earlier)
          .some(({ clusterId }) => clusterId === "c1"),
      { timeout: 20_000 },
    )
    .toBe(true);
  const report = must(leader.reportsOf(name).at(-1), "the node reported");
  return {
    name,
    nodeId: must(leader.nodeIdOf(report.nodeUuid), "the node joined"),
    address: report.address,
    process: child,
  };
}

async function end(child: ChildProcess, signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.kill(signal);
  await once(child, "exit");
  return child.exitCode;
}

/** Ids of the nodes that acknowledged. */
async function write(chunkId: number, bytes: Uint8Array, nodes: readonly Node[]): Promise<number[]> {
  const [first, ...others] = nodes;
  const durable: number[] = [];
  const call = network
    .client(ChunkDataService, first?.address ?? "")
    .writeChunk(chunkFrames({ chunkId, bytes, forward: others }));
  for await (const ack of call) if (ack.isDurable) durable.push(ack.nodeId);
  return durable;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "holdfast-chunkserver-"));
  running = [];
  const ports = { clock: createNodeClock(), timers: createNodeTimers(), random: createNodeRandom() };
  network = createGrpcNetwork({ ...ports, logger: silentLogger, metrics: createMetrics() });
  leader = new FakeLeader();
  leaderAddress = (await leader.listen(network, "127.0.0.1:0")).address;
});

afterEach(async () => {
  await Promise.all(running.map((child) => end(child, "SIGKILL")));
  await network.close();
  await rm(directory, { recursive: true, force: true });
});

describe("the chunkserver process", () => {
  it("keeps what it acknowledged through kill -9 in the middle of writes, and the chain goes on without it", async () => {
    const nodes = [await startNode("a"), await startNode("b"), await startNode("c")];
    const acknowledged = new Map<number, number[]>();
    const writing = Array.from({ length: 12 }, async (_, index) => {
      acknowledged.set(index + 1, await write(index + 1, sampleBytes(2 * mebibyte, index), nodes));
    });
    const [, middle] = nodes;
    await expect.poll(() => acknowledged.size, { timeout: 60_000 }).toBeGreaterThan(1);
    await end(must(middle, "three nodes").process, "SIGKILL");
    await Promise.all(writing);
    for (const nodeIds of acknowledged.values()) expect(nodeIds).toContain(nodes[0]?.nodeId);

    const again = await startNode("b");
    expect(again.nodeId).toBe(middle?.nodeId);
    const control = network.client(ChunkControlService, again.address);
    for (const [chunkId, nodeIds] of acknowledged) {
      if (!nodeIds.includes(again.nodeId)) continue;
      const question = create(StatChunkRequestSchema, { clusterId: "c1", chunkId: BigInt(chunkId), generation: 1 });
      expect(await control.statChunk(question)).toMatchObject({ isPresent: true, lengthBytes: 2 * mebibyte });
    }
  });

  it("lets no second process into its directory, and stops cleanly when asked", async () => {
    const { process: child } = await startNode("a");
    const options = [
      "--name",
      "a",
      "--listen",
      "127.0.0.1:0",
      "--masters",
      leaderAddress,
      "--data",
      join(directory, "a"),
    ];
    const second = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), ...options], { stdio: "ignore" });
    running.push(second);
    await once(second, "exit");
    expect(second.exitCode).toBe(1);
    expect(await end(child, "SIGTERM")).toBe(0);
  });

  it("keeps its identity and what is on its other disk when one disk is replaced by an empty folder", async () => {
    const secondDisk = join(directory, "second disk");
    const flags = ["--more-data", secondDisk];
    const node = await startNode("a", flags);
    const chunkIds = Array.from({ length: 20 }, (_, index) => index + 1);
    for (const chunkId of chunkIds)
      expect(await write(chunkId, sampleBytes(70_000, chunkId), [node])).toEqual([node.nodeId]);
    const heldOn = async (disk: string): Promise<number> =>
      (await readdir(join(disk, "chunks/00/00")).catch(() => [])).length;
    const counts = [await heldOn(join(directory, "a")), await heldOn(secondDisk)];
    expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(20);
    expect(await end(node.process, "SIGTERM")).toBe(0);
    const replaced = (counts[1] ?? 0) > 0 ? secondDisk : join(directory, "a");
    const keptCount = 20 - (await heldOn(replaced));
    await rm(replaced, { recursive: true });
    await mkdir(replaced);

    const again = await startNode("a", flags);
    expect(again.nodeId).toBe(node.nodeId);
    const { chunkCount, disks } = must(leader.reportsOf("a").at(-1), "it reported");
    expect(Number(chunkCount)).toBe(keptCount);
    expect(disks.map(({ state }) => state)).toEqual(["ok", "ok"]);
    expect(await write(99, sampleBytes(70_000), [again])).toEqual([node.nodeId]);
    expect(await readFile(join(secondDisk, "node.json"), "utf8")).toBe(
      await readFile(join(directory, "a/node.json"), "utf8"),
    );
  });
});
