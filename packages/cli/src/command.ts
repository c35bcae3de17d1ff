import type { Output } from "./output.ts";
import type { Terminal } from "./terminal.ts";

/** What a command gets besides its words. */
export interface CommandContext {
  readonly output: Output;
  readonly terminal: Terminal;
  /** Aborts at the first Ctrl+C. */
  readonly signal: AbortSignal;
}

/** One command: its words and what it does. Throws to fail; the thrown value decides the exit code. */
export interface Command {
  /** As in `holdfast help`. */
  readonly usage: string;
  readonly summary: string;
  run(words: readonly string[], context: CommandContext): Promise<void>;
}
