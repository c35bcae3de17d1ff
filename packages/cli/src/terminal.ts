import { createInterface } from "node:readline/promises";

/** The person at the keyboard, if there is one. */
export interface Terminal {
  /** Whether somebody can be asked. */
  readonly isInteractive: boolean;
  /** Asks and waits for a line; an empty one at end of input. */
  ask(question: string): Promise<string>;
  /** Writes over the line that shows progress; nothing where there is no terminal. */
  progress(text: string): void;
}

/** This process's terminal: questions and progress go to standard error, so that standard output stays clean. */
export function createTerminal(): Terminal {
  const isInteractive = process.stdin.isTTY && process.stderr.isTTY;
  return {
    isInteractive,
    async ask(question) {
      const lines = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return await lines.question(question);
      } finally {
        lines.close();
      }
    },
    progress: (text) => void (process.stderr.isTTY && process.stderr.write(`\r\u001b[2K${text}`)),
  };
}
