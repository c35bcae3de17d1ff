import { formatBytes } from "@holdfast/base";
import { formatDuration, type Output } from "./output.ts";

/** Where a long transfer stands. */
export interface ProgressCounts {
  filesTotal: number;
  filesDone: number;
  bytesTotal: number;
  bytesDone: number;
  errorCount: number;
}

/** One file's progress. */
export interface FileProgress {
  add(bytes: number): void;
  done(): void;
  failed(): void;
}

interface RunningFile {
  readonly name: string;
  readonly sizeBytes: number;
  bytesDone: number;
}

const terminalIntervalMs = 125;
const plainIntervalMs = 30_000;
const filesShownMax = 4;

/**
 * Shows a transfer while it runs and sums it up at the end: a static block of at most 8 frames a second on a terminal,
 * one line every 30 s elsewhere, JSON Lines with `--json`. Writes to standard error only (records go where records go).
 */
export class Progress {
  readonly counts: ProgressCounts = { filesTotal: 0, filesDone: 0, bytesTotal: 0, bytesDone: 0, errorCount: 0 };
  readonly #output: Output;
  readonly #isTerminal: boolean;
  readonly #startedAtMs = performance.now();
  readonly #running = new Set<RunningFile>();
  readonly #timer: NodeJS.Timeout;
  #shownLineCount = 0;
  #isTotalKnown = false;

  constructor(output: Output) {
    this.#output = output;
    this.#isTerminal = process.stderr.isTTY && !output.isJson;
    this.#timer = setInterval(() => this.#draw(), this.#isTerminal ? terminalIntervalMs : plainIntervalMs);
    this.#timer.unref();
  }

  /** Totals are known: from now on there are percent and time left. */
  setTotals(files: number, bytes: number): void {
    this.#isTotalKnown = true;
    this.counts.filesTotal = files;
    this.counts.bytesTotal = bytes;
  }

  /** A file began; the result is told of every step and, once, of its end. */
  file(name: string, sizeBytes: number): FileProgress {
    const file: RunningFile = { name, sizeBytes, bytesDone: 0 };
    this.#running.add(file);
    return {
      add: (bytes) => {
        file.bytesDone += bytes;
        this.counts.bytesDone += bytes;
      },
      done: () => {
        this.#running.delete(file);
        this.counts.filesDone++;
      },
      failed: () => {
        this.#running.delete(file);
        this.counts.bytesDone -= file.bytesDone;
        this.counts.errorCount++;
      },
    };
  }

  /** Removes the block and prints the summary. */
  finish(): void {
    clearInterval(this.#timer);
    this.#erase();
    const { counts } = this;
    const seconds = this.#seconds();
    const bytesPerSecond = Math.round(counts.bytesDone / seconds);
    this.#output.record({ messageType: "summary", ...counts, seconds, bytesPerSecond });
    if (this.#output.isJson) return;
    const failures = counts.errorCount === 0 ? "" : `, ${counts.errorCount} failed`;
    const done = `${counts.filesDone} files, ${formatBytes(counts.bytesDone)}`;
    this.#output.note(`${done} in ${formatDuration(seconds)} (${formatBytes(bytesPerSecond)}/s)${failures}`);
  }

  #seconds(): number {
    return Math.max(0.001, (performance.now() - this.#startedAtMs) / 1_000);
  }

  #headline(): string {
    const { counts } = this;
    const seconds = this.#seconds();
    const rate = counts.bytesDone / seconds;
    const clock = `[${formatDuration(seconds)}]`;
    const errors = `errors ${counts.errorCount}`;
    if (!this.#isTotalKnown) {
      return `${clock} ${counts.filesDone} files  ${formatBytes(counts.bytesDone)}  ${formatBytes(rate)}/s  ${errors}`;
    }
    const percent = counts.bytesTotal === 0 ? 100 : Math.floor((counts.bytesDone / counts.bytesTotal) * 100);
    const left = formatDuration((counts.bytesTotal - counts.bytesDone) / Math.max(rate, 1));
    const bytes = `${formatBytes(counts.bytesDone)}/${formatBytes(counts.bytesTotal)}`;
    return `${clock} ${percent}%  ${counts.filesDone}/${counts.filesTotal} files  ${bytes}  ${formatBytes(rate)}/s  ETA ${left}  ${errors}`;
  }

  #draw(): void {
    if (this.#output.isJson) {
      this.#output.record({ messageType: "status", ...this.counts });
      return;
    }
    if (!this.#isTerminal) {
      this.#output.note(this.#headline());
      return;
    }
    this.#erase();
    const files = [...this.#running].slice(0, filesShownMax).map(fileLine);
    const lines = [this.#headline(), ...files].map((line) => line.slice(0, (process.stderr.columns ?? 80) - 1));
    process.stderr.write(`${lines.join("\n")}\n`);
    this.#shownLineCount = lines.length;
  }

  #erase(): void {
    if (this.#shownLineCount > 0) process.stderr.write(`\u001b[${this.#shownLineCount}A\u001b[0J`);
    this.#shownLineCount = 0;
  }
}

function fileLine(file: RunningFile): string {
  const share = file.sizeBytes === 0 ? 1 : Math.min(1, file.bytesDone / file.sizeBytes);
  const filled = Math.round(share * 10);
  return `  ${"▓".repeat(filled)}${"░".repeat(10 - filled)}  ${file.name}  ${Math.floor(share * 100)}%`;
}
