import type { LogFields, Logger } from "./logger.ts";

/** One kept log line. */
export interface LogRecord {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly event: string;
  readonly fields: LogFields;
}

/** A logger that keeps its newest lines in memory. */
export interface RecordingLogger extends Logger {
  readonly records: readonly LogRecord[];
}

/** For tests and the simulator. Keeps the last `recordsMax` lines (default 10,000), children's included. */
export function createRecordingLogger(recordsMax = 10_000): RecordingLogger {
  const records: LogRecord[] = [];
  const keep = (record: LogRecord): void => {
    records.push(record);
    if (records.length > recordsMax) records.splice(0, records.length - recordsMax);
  };
  const bind = (bound: LogFields): RecordingLogger => {
    const at =
      (level: LogRecord["level"]) =>
      (event: string, fields: LogFields = {}): void =>
        keep({ level, event, fields: { ...bound, ...fields } });
    return {
      records,
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (fields) => bind({ ...bound, ...fields }),
    };
  };
  return bind({});
}
