// Planned hand-overs of three real Raft members under load: whether a proposal that was taken ever fails, and how long the
// longest pause is. A proposal that a member refuses because it does not lead (any more) goes to the next one.
// node bench/src/raft-transfer.ts [--transfers 50] [--callers 64]
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ProcessCluster } from "../../packages/raft/test/process-cluster.ts";

const { values } = parseArgs({
  options: { transfers: { type: "string", default: "50" }, callers: { type: "string", default: "64" } },
});
const cluster = await ProcessCluster.create(3);
const outcomes = new Map<string, number>();
let leaderId = 0;
let isOver = false;
let longestMs = 0;
try {
  await cluster.startAll();
  leaderId = (await cluster.leader()).id;
  const callers = Array.from({ length: Number(values.callers) }, (_, caller) => propose(caller));
  let refused = 0;
  const startedMs = performance.now();
  for (let transfer = 0; transfer < Number(values.transfers); transfer++) {
    const before = leaderId;
    const answer = await cluster.members.get(leaderId)?.ask({ kind: "transfer" }, "transferred");
    while ((leaderId = (await leaderNow()) ?? 0) === 0) await sleep(2);
    if (answer?.refusal !== "" || leaderId === before) refused++;
    await sleep(200);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  isOver = true;
  await Promise.all(callers);
  const count = (await cluster.members.get(leaderId)?.ask({ kind: "status" }, "status"))?.count;
  const applied = outcomes.get("applied") ?? 0;
  const failed = [...outcomes].filter(([kind]) => kind !== "applied" && kind !== "notLeader");
  console.log(
    `${values.transfers} hand-overs (${refused} refused) under ${values.callers} callers in ${seconds.toFixed(1)} s: ` +
      `${applied} applied (the log has ${count}), ${outcomes.get("notLeader") ?? 0} sent on to the next leader, ` +
      `${failed.map(([kind, times]) => `${times} ${kind}`).join(", ") || "none failed"}; longest wait of one ${longestMs.toFixed(0)} ms`,
  );
  if (failed.length > 0 || count !== applied) process.exitCode = 1;
} finally {
  await cluster.destroy();
}

async function propose(caller: number): Promise<void> {
  for (let number = 0; !isOver; number++) {
    const sentMs = performance.now();
    for (let kind = "notLeader"; kind === "notLeader";) {
      const member = cluster.members.get(leaderId);
      // Between two leaders.
      if (member === undefined) {
        await sleep(2);
        continue;
      }
      kind = (await member.ask({ kind: "propose", text: `${caller} ${number}` }, "proposed")).outcome;
      outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
      if (kind === "notLeader") await sleep(2);
    }
    longestMs = Math.max(longestMs, performance.now() - sentMs);
  }
}

async function leaderNow(): Promise<number | undefined> {
  const statuses = [...cluster.members.values()].map((member) => member.ask({ kind: "status" }, "status"));
  return (await Promise.all(statuses)).find(({ status }) => status.role === "leader")?.status.id;
}
