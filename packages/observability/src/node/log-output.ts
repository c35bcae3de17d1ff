import { fstatSync, writeSync } from "node:fs";

/** Takes bytes and answers how many it took; throws when it cannot take any. */
export type ByteSink = (bytes: Uint8Array) => number;

/**
 * Lines for a sink that may refuse them, as a file on a full disk does: a process does not end because nobody can write
 * down what it does. Lines that were lost are counted, and told of with the first one that is written again.
 */
export class LogOutput {
  readonly #sink: ByteSink;
  readonly #describeLoss: (lineCount: number) => string;
  #lostCount = 0;
  /** The sink took a part of the last line that it took. */
  #isTorn = false;

  constructor(sink: ByteSink, describeLoss: (lineCount: number) => string) {
    this.#sink = sink;
    this.#describeLoss = describeLoss;
  }

  /** A line with its newline. Never throws. */
  write(line: string): void {
    const end = this.#isTorn ? "\n" : "";
    const loss = this.#lostCount > 0 ? this.#describeLoss(this.#lostCount) : "";
    const bytes = new TextEncoder().encode(`${end}${loss}${line}`);
    const taken = this.#take(bytes);
    const isWhole = taken === bytes.length;
    if (taken > 0) this.#isTorn = !isWhole;
    this.#lostCount = isWhole ? 0 : this.#lostCount + 1;
  }

  #take(bytes: Uint8Array): number {
    try {
      return this.#sink(bytes);
    } catch {
      // Told of with the next line that is written.
      return 0;
    }
  }
}

/** Descriptors of standard output and standard error. */
export type StandardDescriptor = 1 | 2;

/** A standard output: a file is written at once, a terminal or a pipe as Node does. Whatever becomes of it, nothing throws. */
export function openLogOutput(descriptor: StandardDescriptor, describeLoss: (lineCount: number) => string): LogOutput {
  return new LogOutput(sinkOf(descriptor), describeLoss);
}

function sinkOf(descriptor: StandardDescriptor): ByteSink {
  if (fstatSync(descriptor).isFile()) return (bytes) => writeSync(descriptor, bytes);
  const stream = descriptor === 1 ? process.stdout : process.stderr;
  // Without a listener a reader that went away would end the process.
  stream.on("error", () => undefined);
  return (bytes) => {
    stream.write(bytes);
    return bytes.length;
  };
}
