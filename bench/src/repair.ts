import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { FailNodeSchema, FleetCommandSchema } from "@holdfast/proto/fleet/v1/fleet";
import { type EdgeClient, type LocalCluster, signIn } from "@holdfast/tests-conformance";
import { type Measurement, percentile, percentiles } from "./measurement.ts";

const mebibyte = 1024 * 1024;
/** So much in files gives each of four nodes about 200 MiB, at three copies. */
const fileCount = 34;
const fileBytes = 8 * mebibyte;
const patienceMs = 120_000;

/** A node with about 200 MiB is declared dead, or stops answering, while a client reads: how long until all is whole. */
export async function measureRepair(cluster: LocalCluster, how: "fail" | "kill"): Promise<readonly Measurement[]> {
  const client = await signIn(cluster.origin);
  const entryIds: bigint[] = [];
  for (let number = 0; number < fileCount; number++) {
    const response = await client.put(`file-${number}`, randomBytes(fileBytes), {
      requestId: randomBytes(16).toString("hex"),
    });
    if (!response.ok) throw new Error(`a file was refused: ${await response.text()}`);
    const { entry } = await client.drive.getEntry({ path: `/file-${number}` });
    entryIds.push(entry?.entryId ?? 0n);
  }
  const full = await untilWhole(client);
  const victim = full.nodes.at(-1);
  if (victim === undefined) throw new Error("a cluster has nodes");
  const before = await readFor(client, entryIds, async () => delay(4_000));
  const startedAtMs = performance.now();
  let copyingFromMs = 0;
  const reads = await readFor(client, entryIds, async () => {
    if (how === "fail") await fail(client, victim.nodeId);
    else process.kill((await cluster.pid(victim.name)) ?? 0, "SIGSTOP");
    await untilCopying(client);
    copyingFromMs = performance.now();
    await untilWhole(client);
  });
  const seconds = (performance.now() - startedAtMs) / 1000;
  const copyingSeconds = (performance.now() - copyingFromMs) / 1000;
  if (how === "kill") process.kill((await cluster.pid(victim.name)) ?? 0, "SIGCONT");
  const megabytes = Number(victim.usedBytes) / 1e6;
  const name = how === "fail" ? "admin fail" : "node stops answering";
  const tookWhile = (isWanted: (read: Read) => boolean): readonly number[] => reads.filter(isWanted).map(tookMsOf);
  const waiting = tookWhile(({ beganAtMs }) => beganAtMs < copyingFromMs);
  const during = tookWhile(({ beganAtMs }) => beganAtMs >= copyingFromMs);
  const rested = percentile(before.map(tookMsOf), 0.99);
  const report: Measurement[] = [
    {
      what: `${name}: back to full copies`,
      value: seconds,
      unit: "s",
      detail: `${megabytes.toFixed(0)} MB on the node; copying took ${copyingSeconds.toFixed(1)} s of it`,
    },
    { what: `${name}: copying itself`, value: megabytes / copyingSeconds, unit: "MB/s" },
    {
      what: `${name}: foreground reads, p99 while copying over before`,
      value: percentile(during, 0.99) / Math.max(0.1, rested),
      unit: "times",
      detail: `64 KiB ranges; before ${percentiles(before.map(tookMsOf))}; while copying ${percentiles(during)}`,
    },
  ];
  if (how === "kill")
    report.push({
      what: `${name}: foreground reads, p99 until copying begins over before`,
      value: percentile(waiting, 0.99) / Math.max(0.1, rested),
      unit: "times",
      detail: percentiles(waiting),
    });
  return report;
}

async function fail(client: EdgeClient, nodeId: number): Promise<void> {
  const value = create(FailNodeSchema, { nodeId, reason: "bench" });
  const command = create(FleetCommandSchema, { command: { case: "failNode", value } });
  await client.admin.changeFleet({ requestId: randomBytes(16).toString("hex"), command });
}

type Status = NonNullable<Awaited<ReturnType<EdgeClient["admin"]["getStatus"]>>["status"]>;

async function until(client: EdgeClient, isTrue: (status: Status) => boolean): Promise<Status> {
  const deadlineMs = performance.now() + patienceMs;
  while (performance.now() < deadlineMs) {
    const { status } = await client.admin.getStatus({});
    if (status !== undefined && isTrue(status)) return status;
    await delay(50);
  }
  throw new Error("the cluster did not become so in time");
}

function untilWhole(client: EdgeClient): Promise<Status> {
  return until(client, ({ chunks }) => {
    return chunks !== undefined && chunks.total > 0n && chunks.under === 0n && chunks.missing === 0n;
  });
}

/** The first copies are being made; the wait that the preset puts before repair is not copying. */
function untilCopying(client: EdgeClient): Promise<Status> {
  return until(client, ({ repair }) => repair !== undefined && repair.activeChunks > 0n);
}

/** One read of a range. */
interface Read {
  readonly beganAtMs: number;
  readonly tookMs: number;
}

function tookMsOf({ tookMs }: Read): number {
  return tookMs;
}

/** Small ranged reads, one after another, for as long as the work goes on. */
async function readFor(
  client: EdgeClient,
  entryIds: readonly bigint[],
  work: () => Promise<unknown>,
): Promise<readonly Read[]> {
  const reads: Read[] = [];
  let isOver = false;
  const reading = (async () => {
    for (let turn = 0; !isOver; turn++) {
      const start = (turn * 977 * 65_536) % (fileBytes - 65_536);
      const beganAtMs = performance.now();
      const response = await client.get(entryIds[turn % entryIds.length] ?? 0n, {
        Range: `bytes=${start}-${start + 65_535}`,
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`a read failed: ${response.status}`);
      reads.push({ beganAtMs, tookMs: performance.now() - beganAtMs });
      await delay(5);
    }
  })();
  try {
    await work();
  } finally {
    isOver = true;
    await reading;
  }
  return reads;
}
