// Kills the leader of three real Raft members again and again: time from the kill to the next applied proposal.
// node bench/src/raft-failover.ts [--kills 50]
import { parseArgs } from "node:util";
import { ProcessCluster } from "../../packages/raft/test/process-cluster.ts";

const { values } = parseArgs({ options: { kills: { type: "string", default: "50" } } });
const cluster = await ProcessCluster.create(3);
const timesMs: number[] = [];
try {
  await cluster.startAll();
  for (let kill = 0; kill < Number(values.kills); kill++) {
    const leader = await cluster.leader();
    await untilApplied(`before ${kill}`);
    const startedMs = performance.now();
    await cluster.kill(leader.id);
    await untilApplied(`after ${kill}`);
    timesMs.push(performance.now() - startedMs);
    await cluster.start(leader.id);
    // Long enough for the returned member to catch up: the next kill must leave a healthy majority.
    await untilApplied(`back ${kill}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
} finally {
  await cluster.destroy();
}
const sorted = timesMs.toSorted((left, right) => left - right);
const at = (share: number): string => (sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0).toFixed(0);
console.log(
  `leader killed to next applied proposal, ${sorted.length} kills: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`,
);

/** Asks every running member until one applies the proposal. */
async function untilApplied(text: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const asked = [...cluster.members.values()].map((member) =>
      member.ask({ kind: "propose", text: `${text} ${attempt}` }, "proposed"),
    );
    const outcomes = await Promise.all(asked);
    if (outcomes.some(({ outcome }) => outcome === "applied")) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
