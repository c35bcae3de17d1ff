/** How a command speaks: for people or, with `--json`, one document. */
export interface Output {
  readonly isJson: boolean;
  /** A line for people; nothing with `--json`. */
  line(text: string): void;
  /** The answer for `--json`; nothing otherwise. */
  document(value: unknown): void;
  /** JSON Lines for long work; nothing without `--json`. */
  record(value: unknown): void;
  /** To standard error, always. */
  note(text: string): void;
}

/** Output on this process's streams. */
export function createOutput(isJson: boolean): Output {
  const print = (value: unknown): void => {
    process.stdout.write(
      `${JSON.stringify(value, (_key, field: unknown) => (typeof field === "bigint" ? Number(field) : field))}\n`,
    );
  };
  return {
    isJson,
    line: (text) => void (isJson || process.stdout.write(`${text}\n`)),
    document: (value) => void (isJson && print(value)),
    record: (value) => void (isJson && print(value)),
    note: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** "0:42", "1:02:03". */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(whole / 60);
  const pad = (value: number): string => String(value).padStart(2, "0");
  return minutes < 60
    ? `${minutes}:${pad(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(whole % 60)}`;
}

/** "2026-11-22 17:33" in local time. */
export function formatTime(ms: number): string {
  const date = new Date(ms);
  const pad = (value: number): string => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

/** Rows as aligned columns; numbers to the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const all = [header, ...rows.map((row) => row.map(String))];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const isNumeric = header.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === "number"));
  return all
    .map((row) =>
      row
        .map((cell, column) =>
          isNumeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
