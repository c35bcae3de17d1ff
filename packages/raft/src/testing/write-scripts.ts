import { readFileSync, writeFileSync } from "node:fs";
import { parseScript } from "./etcd/datadriven.ts";
import { InteractionEnv } from "./etcd/interaction.ts";

/**
 * Writes what the core does now into our own scenario scripts (`packages/raft/testdata`), so that a change of behaviour
 * shows as a change of these files. To be read before it is committed. Arguments: the files.
 */
function rewrite(path: string): void {
  const text = readFileSync(path, "utf8");
  const lines = text.split("\n");
  const env = new InteractionEnv();
  const written: string[] = [];
  let at = 0;
  for (const command of parseScript(text)) {
    while (at < lines.length && lines[at] !== "----") written.push(lines[at++] ?? "");
    written.push("----", env.run(command));
    at++;
    while (at < lines.length && (lines[at] ?? "").trim() !== "") at++;
  }
  while (at < lines.length) written.push(lines[at++] ?? "");
  writeFileSync(path, `${written.join("\n").trimEnd()}\n`);
}

for (const path of process.argv.slice(2)) rewrite(path);
