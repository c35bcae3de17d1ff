import { checkInvariants } from "../../core/invariants.ts";
import { CommandError } from "./command-error.ts";
import type { ScriptCommand } from "./datadriven.ts";
import { commandHandlers } from "./env-commands.ts";
import type { EnvNode, Envelope } from "./env-node.ts";

/** Nodes, messages between them, and the commands of etcd's interaction scripts over both. */
export class InteractionEnv {
  readonly nodes: EnvNode[] = [];
  messages: Envelope[] = [];
  #isQuiet = false;
  #lines: string[] = [];

  /** Runs one command; what it prints, `ok` when it prints nothing. */
  run(command: ScriptCommand): string {
    this.#lines = [];
    const handler = commandHandlers[command.name];
    if (handler === undefined) return `unknown command ${command.name}`;
    const wasQuiet = this.#isQuiet;
    let failure: string | undefined;
    try {
      handler(this, command);
    } catch (thrown) {
      if (!(thrown instanceof CommandError)) throw thrown;
      failure = thrown.message;
    }
    // The scripts' nodes begin at term 0 with a snapshot of term 1, as no log store would.
    for (const node of this.nodes) if (node.core.view().term > 0) checkInvariants(node.core.view());
    // A level given to one command holds for this command alone.
    const isSilent = this.#isQuiet || wasQuiet;
    if (command.name === "stabilize") this.#isQuiet = wasQuiet;
    if (failure !== undefined && !isSilent) this.#lines.push(failure);
    const text = isSilent ? (failure ?? "") : this.#lines.join("\n");
    return text === "" ? "ok" : text;
  }

  /** Prints a line. */
  print(line: string): void {
    this.#lines.push(line);
  }

  /** Prints what `body` prints, two spaces to the right. */
  indent(body: () => void): void {
    const outer = this.#lines;
    this.#lines = [];
    body();
    const inner = this.#lines.flatMap((text) => text.split("\n"));
    this.#lines = outer;
    for (const line of inner) this.#lines.push(`  ${line}`);
  }

  /** With level `none` nothing is printed, not even what is no log line. */
  setLevel(level: string): void {
    if (!["debug", "info", "warn", "error", "fatal", "none"].includes(level.toLowerCase())) {
      throw new CommandError(`log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]`);
    }
    this.#isQuiet = level.toLowerCase() === "none";
  }

  /** Node by its 1-based number. */
  node(id: number): EnvNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`the script names node ${id}, which does not exist`);
    return node;
  }
}
