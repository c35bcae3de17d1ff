// Three real Raft members on loopback, each with its log fsynced: committed entries per second and latencies.
// node bench/src/raft-throughput.ts [--callers 1000] [--seconds 8] [--warm 3] [--bytes 256] [--cpu-prof DIR]
import { parseArgs } from "node:util";
import { ProcessCluster } from "../../packages/raft/test/process-cluster.ts";
import { measureCore } from "./raft-core-throughput.ts";
import { measureRawLimits } from "./raft-raw-limits.ts";

const { values } = parseArgs({
  options: {
    callers: { type: "string", default: "1,64,256,1000" },
    seconds: { type: "string", default: "8" },
    warm: { type: "string", default: "3" },
    bytes: { type: "string", default: "256" },
    "cpu-prof": { type: "string" },
    metrics: { type: "boolean", default: false },
  },
});
const profileFolder = values["cpu-prof"];

console.log(
  `core alone: ${Math.round(measureCore({ entries: 1_000_000, entryBytes: Number(values.bytes), batch: 500 })).toLocaleString("en")} entries/s through three cores in this process, no I/O`,
);
const limits = await measureRawLimits(Number(values.bytes));
console.log(
  `raw medians, one after the other: durable append ${limits.syncMs.toFixed(3)} ms in one call (${limits.twoCallSyncMs.toFixed(3)} as write and fdatasync), round trip between two processes ${limits.roundTripMs.toFixed(3)} ms; three processes that replicate without Raft ${limits.replicationMs.toFixed(3)} ms`,
);

const cluster = await ProcessCluster.create(3, {
  execArgv: () => (profileFolder === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profileFolder]),
});
try {
  await cluster.startAll();
  // A leader that has just started runs code that is not compiled yet; a real one has led for hours.
  const first = await cluster.leader();
  await first.ask(
    { kind: "load", callers: 64, seconds: Number(values.warm), entryBytes: Number(values.bytes) },
    "load",
  );
  console.log(
    "| callers | entries/s | p50 ms | p90 ms | p99 ms | max ms | failed | leader CPU | follower CPU | leader MiB |\n|---|---|---|---|---|---|---|---|---|---|",
  );
  for (const callers of values.callers.split(",").map(Number)) {
    const leader = await cluster.leader();
    const before = await cpu();
    const load = await leader.ask(
      { kind: "load", callers, seconds: Number(values.seconds), entryBytes: Number(values.bytes) },
      "load",
    );
    const after = await cpu();
    const share = (id: number): string =>
      `${Math.round(((after.get(id) ?? 0) - (before.get(id) ?? 0)) / load.seconds / 10)} %`;
    const followers = [...cluster.members.keys()].filter((id) => id !== leader.id).map(share);
    const { rssBytes } = await leader.ask({ kind: "status" }, "status");
    const rate = Math.round(load.applied / load.seconds).toLocaleString("en");
    console.log(
      `| ${callers} | ${rate} | ${load.p50.toFixed(2)} | ${load.p90.toFixed(2)} | ${load.p99.toFixed(2)} | ${load.max.toFixed(1)} | ${load.failed} | ${share(leader.id)} | ${followers.join(", ")} | ${Math.round(rssBytes / 2 ** 20)} |`,
    );
    if (callers === 1)
      console.log(
        `one caller: ${(load.p50 / (limits.twoCallSyncMs + limits.roundTripMs)).toFixed(2)} times write, fdatasync and round trip, ${(load.p50 / limits.replicationMs).toFixed(2)} times three processes without Raft`,
      );
  }
  const statuses = await Promise.all(
    [...cluster.members.values()].map((member) => member.ask({ kind: "status" }, "status")),
  );
  if (values.metrics)
    for (const member of cluster.members.values()) console.log((await member.ask({ kind: "metrics" }, "metrics")).text);
  for (const { status, rssBytes } of statuses)
    console.log(
      `member ${status.id}: ${status.role}, applied ${status.appliedIndex}, log from ${status.firstIndex}, ${Math.round(rssBytes / 2 ** 20)} MiB`,
    );
  if (profileFolder !== undefined) {
    await Promise.all([...cluster.members.values()].map((member) => member.stop()));
    cluster.members.clear();
  }
} finally {
  await cluster.destroy();
}

async function cpu(): Promise<ReadonlyMap<number, number>> {
  const reports = [...cluster.members.values()].map(
    async (member) => [member.id, (await member.ask({ kind: "status" }, "status")).cpuMs] as const,
  );
  return new Map(await Promise.all(reports));
}
