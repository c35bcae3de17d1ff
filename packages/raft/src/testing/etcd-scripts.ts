import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { runScript, type ScriptKind, type ScriptResult } from "./etcd/run-script.ts";

const titles: Readonly<Record<ScriptKind, string>> = {
  interaction: "at wire grade",
  confchange: "equal",
  quorum: "equal",
};

/**
 * Replays the scripts of etcd-io/raft that `ETCD_RAFT_TESTDATA` names (default `../shared/etcd-raft` beside the
 * repository): a line a file, a total for each kind. Exit 1 when one differs, 0 when the directory is absent.
 */
function main(): number {
  const root = resolve(import.meta.dirname, "../../../..");
  const directory = process.env["ETCD_RAFT_TESTDATA"] ?? join(root, "../shared/etcd-raft");
  const wanted = process.argv.slice(2);
  if (!existsSync(directory)) {
    process.stdout.write(`etcd-raft: skipped, no scripts at ${directory} (set ETCD_RAFT_TESTDATA)\n`);
    return 0;
  }
  let isAllEqual = true;
  const totals: string[] = [];
  for (const kind of ["interaction", "confchange", "quorum"] as const) {
    const results = runAll(join(directory, kind), kind, wanted);
    const passed = results.filter((result) => result.differences.length === 0).length;
    if (passed < results.length) isAllEqual = false;
    totals.push(`etcd-raft ${kind}: ${passed} of ${results.length} files ${titles[kind]}`);
  }
  process.stdout.write(`${totals.join("\n")}\n`);
  return isAllEqual ? 0 : 1;
}

function runAll(directory: string, kind: ScriptKind, wanted: readonly string[]): ScriptResult[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory)
    .filter((name) => name.endsWith(".txt"))
    .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
    .sort();
  return names.map((name) => {
    const result = runScript(kind, readFileSync(join(directory, name), "utf8"));
    const verdict = result.differences.length === 0 ? "ok" : `${result.differences.length} differ`;
    process.stdout.write(`${kind}/${name}: ${result.commands} commands, ${verdict}\n`);
    const first = result.differences[0];
    if (first !== undefined) process.stdout.write(`${first}\n`);
    return result;
  });
}

process.exitCode = main();
