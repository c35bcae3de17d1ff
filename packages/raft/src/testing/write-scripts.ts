import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { parseScript } from "./etcd/datadriven.ts";
import { runnerOf, type ScriptKind } from "./etcd/run-script.ts";

/**
 * Writes what the core does now into our own scenario scripts (`packages/raft/testdata`), so that a change of behaviour
 * shows as a change of these files. To be read before it is committed. Arguments: the files; the folder names the kind.
 */
function rewrite(path: string): void {
  const text = readFileSync(path, "utf8");
  const lines = text.split("\n");
  const run = runnerOf(basename(dirname(path)) as ScriptKind);
  const written: string[] = [];
  let at = 0;
  for (const command of parseScript(text)) {
    while (at < lines.length && lines[at] !== "----") written.push(lines[at++] ?? "");
    written.push("----", run(command));
    at++;
    while (at < lines.length && (lines[at] ?? "").trim() !== "") at++;
  }
  while (at < lines.length) written.push(lines[at++] ?? "");
  writeFileSync(path, `${written.join("\n").trimEnd()}\n`);
}

for (const path of process.argv.slice(2)) rewrite(path);
