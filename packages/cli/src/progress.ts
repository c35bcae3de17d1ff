import { formatBytes, formatDuration, type Output } from "./output.ts";

/** Where a long transfer stands. */
export interface ProgressCounts {
  filesTotal: number;
  filesDone: number;
  bytesTotal: number;
  bytesDone: number;
  errorCount: number;
}

/** Shows a transfer while it runs and sums it up at the end. */
export interface Progress {
  readonly counts: ProgressCounts;
  /** A file began; call the result with every step and once at its end. */
  file(name: string, sizeBytes: number): FileProgress;
  /** Totals are known. */
  setTotals(files: number, bytes: number): void;
  /** Removes the block; prints the summary. */
  finish(): void;
}

/** One file's progress. */
export interface FileProgress {
  add(bytes: number): void;
  done(): void;
  failed(): void;
}

const terminalIntervalMs = 125;
const plainIntervalMs = 30_000;
const filesShownMax = 4;

/** A static block of at most 8 frames a second on a terminal; one line every 30 s elsewhere; JSON Lines with `--json`. */
export function createProgress(output: Output): Progress {
  const startedAtMs = performance.now();
  const counts: ProgressCounts = { filesTotal: 0, filesDone: 0, bytesTotal: 0, bytesDone: 0, errorCount: 0 };
  const running = new Map<number, { name: string; sizeBytes: number; bytesDone: number }>();
  const isTerminal = process.stderr.isTTY === true && !output.isJson;
  let nextId = 0;
  let shownLineCount = 0;
  let isTotalKnown = false;

  const headline = (): string => {
    const seconds = (performance.now() - startedAtMs) / 1_000;
    const rate = counts.bytesDone / Math.max(seconds, 0.001);
    if (!isTotalKnown) {
      return `[${formatDuration(seconds)}] ${counts.filesDone} files  ${formatBytes(counts.bytesDone)}  ${formatBytes(rate)}/s  errors ${counts.errorCount}`;
    }
    const percent = counts.bytesTotal === 0 ? 100 : Math.floor((counts.bytesDone / counts.bytesTotal) * 100);
    const left = (counts.bytesTotal - counts.bytesDone) / Math.max(rate, 1);
    return `[${formatDuration(seconds)}] ${percent}%  ${counts.filesDone}/${counts.filesTotal} files  ${formatBytes(counts.bytesDone)}/${formatBytes(counts.bytesTotal)}  ${formatBytes(rate)}/s  ETA ${formatDuration(left)}  errors ${counts.errorCount}`;
  };
  const erase = (): void => {
    if (shownLineCount > 0) process.stderr.write(`\u001b[${shownLineCount}A\u001b[0J`);
    shownLineCount = 0;
  };
  const draw = (): void => {
    if (output.isJson) {
      output.record({ messageType: "status", ...counts });
      return;
    }
    if (!isTerminal) {
      output.note(headline());
      return;
    }
    erase();
    const width = process.stderr.columns ?? 80;
    const files = [...running.values()].slice(0, filesShownMax).map((file) => {
      const share = file.sizeBytes === 0 ? 1 : Math.min(1, file.bytesDone / file.sizeBytes);
      const filled = Math.round(share * 10);
      return `  ${"▓".repeat(filled)}${"░".repeat(10 - filled)}  ${file.name}  ${Math.floor(share * 100)}%`;
    });
    const lines = [headline(), ...files].map((line) => line.slice(0, width - 1));
    process.stderr.write(`${lines.join("\n")}\n`);
    shownLineCount = lines.length;
  };
  const timer = setInterval(draw, isTerminal ? terminalIntervalMs : plainIntervalMs);
  timer.unref();

  return {
    counts,
    setTotals(files, bytes) {
      isTotalKnown = true;
      counts.filesTotal = files;
      counts.bytesTotal = bytes;
    },
    file(name, sizeBytes) {
      const id = nextId++;
      const entry = { name, sizeBytes, bytesDone: 0 };
      running.set(id, entry);
      return {
        add(bytes) {
          entry.bytesDone += bytes;
          counts.bytesDone += bytes;
        },
        done() {
          running.delete(id);
          counts.filesDone++;
        },
        failed() {
          running.delete(id);
          counts.bytesDone -= entry.bytesDone;
          counts.errorCount++;
        },
      };
    },
    finish() {
      clearInterval(timer);
      erase();
      const seconds = (performance.now() - startedAtMs) / 1_000;
      const rate = counts.bytesDone / Math.max(seconds, 0.001);
      output.record({ messageType: "summary", ...counts, seconds, bytesPerSecond: Math.round(rate) });
      if (!output.isJson) {
        const failures = counts.errorCount === 0 ? "" : `, ${counts.errorCount} failed`;
        output.note(
          `${counts.filesDone} files, ${formatBytes(counts.bytesDone)} in ${formatDuration(seconds)} (${formatBytes(rate)}/s)${failures}`,
        );
      }
    },
  };
}
