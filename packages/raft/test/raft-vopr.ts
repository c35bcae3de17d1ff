// Seeded runs of real nodes on simulated machines, networks and disks (test/vopr). A red seed is shrunk and replays.
// npm run raft:vopr -- [--seeds 200] [--first 1] [--seed N [--faults 3,17]] [--kinds crash,block]
import { execFileSync } from "node:child_process";
import { faultKinds, type FaultKind } from "./vopr/fault-plan.ts";
import { shrink } from "./vopr/shrink.ts";
import { planOf, runVopr, type VoprOptions, type VoprReport } from "./vopr/vopr-run.ts";
import { readOptions } from "./usage.ts";

const values = readOptions(
  "npm run raft:vopr -- [--seeds 200] [--first 1] [--seed N [--faults 3,17]] [--kinds crash,block]",
  {
    seeds: { type: "string", default: "200" },
    first: { type: "string", default: "1" },
    seed: { type: "string" },
    faults: { type: "string" },
    kinds: { type: "string" },
  },
);

const out = (line: string): void => void process.stdout.write(`${line}\n`);
const kinds =
  values.kinds === undefined ? undefined : faultKinds.filter((kind) => values.kinds?.split(",").includes(kind));

function optionsWith(faults?: readonly number[]): VoprOptions {
  return { ...(kinds === undefined ? {} : { kinds }), ...(faults === undefined ? {} : { faults: new Set(faults) }) };
}

async function failureOf(seed: number, faults?: readonly number[]): Promise<Error | undefined> {
  try {
    await runVopr(seed, optionsWith(faults));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short=12", "HEAD"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "unknown";
  }
}

async function explain(seed: number, error: Error): Promise<void> {
  out(`RED seed ${seed} at commit ${commit()}: ${error.message}`);
  if (values.faults !== undefined) return;
  const plan = planOf(seed, kinds);
  const all = plan.faults.map(({ number }) => number);
  const needed = await shrink(all, async (kept) => (await failureOf(seed, kept)) !== undefined, 120);
  const lines = plan.faults.filter(({ number }) => needed.includes(number));
  out(`  shrunk from ${all.length} faults to ${needed.length}:`);
  for (const { number, kind, atMs, member, other, forMs } of lines) {
    out(`  ${number}: at ${atMs.toFixed(0)} ms ${kind} of m${member} (other m${other}, for ${forMs.toFixed(0)} ms)`);
  }
  const last = await failureOf(seed, needed);
  out(`  then: ${last?.message ?? "green"}`);
  const kindsArgument = kinds === undefined ? "" : ` --kinds ${kinds.join()}`;
  out(`  replay: npm run raft:vopr -- --seed ${seed} --faults ${needed.join() || "none"}${kindsArgument}`);
}

const first = Number(values.seed ?? values.first);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const chosen = values.faults?.split(",").map(Number);
const startedMs = performance.now();
const reports: VoprReport[] = [];
let red = 0;
for (let seed = first; seed < first + count; seed++) {
  try {
    const report = await runVopr(seed, optionsWith(chosen));
    if (report.isUndecided)
      out(`undecided seed ${seed}: the checker gave up before it knew whether the history is linearizable`);
    reports.push(report);
  } catch (error) {
    red++;
    await explain(seed, error instanceof Error ? error : new Error(String(error)));
  }
}
const sum = (pick: (report: VoprReport) => number): number =>
  reports.reduce((total, report) => total + pick(report), 0);
const seconds = (performance.now() - startedMs) / 1000;
const used: readonly FaultKind[] = kinds ?? faultKinds;
out(
  `${count} seeds at commit ${commit()}: ${red} red; ${sum(({ faults }) => faults)} faults of ${used.length} kinds, ` +
    `${sum(({ acknowledged }) => acknowledged)} writes acknowledged, ${sum(({ reads }) => reads)} reads (${sum(({ leaseReads }) => leaseReads)} on a lease, ${sum(({ followerReads }) => followerReads)} by followers), ` +
    `all histories linearizable (${reports.filter(({ isUndecided }) => isUndecided).length} undecided), ` +
    `${sum(({ terms }) => terms)} terms led; ${sum(({ repairedEntries }) => repairedEntries)} lost entries given back; healed quorum serves after ${Math.max(0, ...reports.map(({ liveAfterTimeouts }) => liveAfterTimeouts)).toFixed(1)} ` +
    `election timeouts at most; ${seconds.toFixed(1)} s, ${((seconds * 1000) / count).toFixed(0)} ms a seed`,
);
const byKind = faultKinds.map((kind) => `${kind} ${sum(({ faultsByKind }) => faultsByKind[kind] ?? 0)}`);
out(`faults by kind: ${byKind.join(", ")}`);
if (values.seed !== undefined) for (const report of reports) out(JSON.stringify(report));
process.exitCode = red === 0 ? 0 : 1;
