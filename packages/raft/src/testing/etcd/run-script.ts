import { ConfigurationEnv } from "./confchange-script.ts";
import { parseScript, type ScriptCommand } from "./datadriven.ts";
import { InteractionEnv } from "./interaction.ts";
import { runQuorumCommand } from "./quorum-script.ts";

/** Which of etcd's three families of scripts. */
export type ScriptKind = "interaction" | "confchange" | "quorum";

/** How a script went; a difference says where and what. */
export interface ScriptResult {
  readonly commands: number;
  readonly differences: readonly string[];
}

/** Runs a whole script and compares every command's output, without etcd's log lines (wire grade). */
export function runScript(kind: ScriptKind, text: string): ScriptResult {
  const commands = parseScript(text);
  const run = runnerOf(kind);
  const differences: string[] = [];
  for (const command of commands) {
    const actual = run(command);
    const left = wireGrade(command.expected);
    const right = wireGrade(actual);
    if (left === right) continue;
    differences.push(`  line ${command.line}: ${command.name}\n--- expected\n${left}\n--- actual\n${right}\n---`);
  }
  return { commands: commands.length, differences };
}

/** A fresh environment of that kind: runs one command after the other, and says what each prints. */
export function runnerOf(kind: ScriptKind): (command: ScriptCommand) => string {
  if (kind === "quorum") return runQuorumCommand;
  if (kind === "confchange") {
    const env = new ConfigurationEnv();
    return (command) => env.run(command);
  }
  const env = new InteractionEnv();
  return (command) => {
    try {
      return env.run(command);
    } catch (thrown) {
      return `threw ${String(thrown)}`;
    }
  };
}

const logLine = /^\s*(DEBUG|INFO|WARN|ERROR|FATAL) /;

/** Without log lines and trailing blanks; nothing left and `ok` are the same. */
export function wireGrade(output: string): string {
  const lines = output
    .split("\n")
    .filter((line) => !logLine.test(line))
    .map((line) => line.trimEnd());
  while (lines.length > 0 && lines[lines.length - 1] === "") lines.pop();
  return lines.length === 0 ? "ok" : lines.join("\n");
}
