import { fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import {
  createScaleLeader,
  fillStore,
  presets,
  type ScaleInventories,
  type ScaleLeader,
  type ScaleNumbers,
  type ScaleSize,
} from "@holdfast/master/testing/scale";
import { createMetrics, silentLogger } from "@holdfast/observability";
import { createGrpcNetwork } from "@holdfast/rpc/node";
import { createNodeClock, createNodeRandom, createNodeTimers, openLevelStore } from "@holdfast/runtime/node";
import type { Measurement } from "./measurement.ts";

/**
 * What leading a large cluster costs: a leader's side of the fleet in this process, on tables with so many chunks, and so
 * many nodes in another one, which report over gRPC. CPU is this process's alone, of one core.
 */
export async function measureScale(
  size: ScaleSize,
  { seconds }: { readonly seconds: number },
): Promise<readonly Measurement[]> {
  const folder = await mkdtemp(path.join(tmpdir(), "holdfast-scale-"));
  try {
    const store = await openLevelStore(path.join(folder, "projections"));
    const filledFromMs = performance.now();
    const inventories = await fillStore(store, size);
    const fillSeconds = (performance.now() - filledFromMs) / 1000;
    console.log(`filled in ${fillSeconds.toFixed(0)} s, ${inventories.setCount} copy sets`);
    const ports = { clock: createNodeClock(), timers: createNodeTimers(), random: createNodeRandom() };
    const common = { ...ports, logger: silentLogger, metrics: createMetrics() };
    const { production } = presets;
    // Long enough to see what waiting costs.
    const repair = { ...production.repair, delayMs: (seconds + 5) * 1000 };
    const leader = createScaleLeader({ ...common, store, preset: { ...production, repair } });
    const network = createGrpcNetwork(common);
    const listener = await network.listen("127.0.0.1:0", [leader.service]);
    const nodes = fork(path.join(import.meta.dirname, "scale-nodes.ts"), { serialization: "advanced" });
    try {
      leader.start();
      nodes.send({ address: listener.address, ...size, ...inventories });
      return await watch(leader, { size, inventories, seconds, kill: (nodeId) => void nodes.send({ die: nodeId }) });
    } finally {
      nodes.kill("SIGKILL");
      await leader.stop();
      await listener.close(100);
      await network.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Watched {
  readonly size: ScaleSize;
  readonly inventories: ScaleInventories;
  readonly seconds: number;
  readonly kill: (nodeId: number) => void;
}

async function watch(
  leader: ScaleLeader,
  { size, inventories, seconds, kill }: Watched,
): Promise<readonly Measurement[]> {
  await until(leader, ({ live }) => live === size.nodeCount, 120_000);
  const where = `${size.nodeCount} nodes, ${size.chunkCount} chunks, ${inventories.setCount} copy sets`;
  // The first round of digests is over after ten reports.
  await delay(12_000);
  const quiet = await cost(`${where}: heartbeats and digests`, seconds);
  kill(size.nodeCount);
  const deadFromMs = performance.now();
  await until(leader, ({ under }) => under > 0, 60_000);
  const detected = (performance.now() - deadFromMs) / 1000;
  const waiting = await cost(`${where}: a node is dead, repair waits`, seconds);
  const { under } = await leader.numbers();
  await until(leader, ({ repairing }) => repairing > 0, 60_000);
  const repairFromMs = performance.now();
  const repairing = await cost(`${where}: repair runs`, seconds / 2);
  await until(leader, (numbers) => numbers.under === 0, 300_000);
  const repairSeconds = (performance.now() - repairFromMs) / 1000;
  return [
    ...quiet,
    { what: "dead node to chunks counted as short", value: detected, unit: "s", detail: `${under} chunks short` },
    ...waiting,
    ...repairing,
    {
      what: "repair of all of them",
      value: repairSeconds,
      unit: "s",
      detail: "copies are made without bytes, in 0.2 s",
    },
  ];
}

async function until(leader: ScaleLeader, isTrue: (numbers: ScaleNumbers) => boolean, limitMs: number): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    const numbers = await leader.numbers();
    if (isTrue(numbers)) return;
    if (performance.now() > deadlineMs) throw new Error(`not reached in time: ${JSON.stringify(numbers)}`);
    await delay(500);
  }
}

async function cost(what: string, seconds: number): Promise<readonly Measurement[]> {
  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  const before = process.cpuUsage();
  const fromMs = performance.now();
  await delay(seconds * 1000);
  const used = process.cpuUsage(before);
  const share = ((used.user + used.system) / 1000 / (performance.now() - fromMs)) * 100;
  delays.disable();
  const late = `event loop late by p99 ${(delays.percentile(99) / 1e6 - 10).toFixed(0)}, max ${(delays.max / 1e6).toFixed(0)} ms`;
  const memory = process.memoryUsage();
  const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
  return [
    { what, value: share, unit: "% of a core", detail: late },
    {
      what: `${what}: memory`,
      value: mebibytes(memory.rss),
      unit: "MiB RSS",
      detail: `${mebibytes(memory.heapUsed)} MiB of it on the heap`,
    },
  ];
}
