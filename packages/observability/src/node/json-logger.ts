import type { Clock } from "@holdfast/runtime";
import type { LogFields, Logger } from "../logger.ts";
import { openLogOutput } from "./log-output.ts";

const levels = ["debug", "info", "warn", "error"] as const;
/** How much a line matters. */
export type LogLevel = (typeof levels)[number];

/** How lines are written. */
export interface JsonLoggerOptions {
  readonly clock: Clock;
  /** Lower levels are dropped. Default "info". */
  readonly levelMin?: LogLevel;
  /** Added to every line: role, node. */
  readonly fields?: LogFields;
  /** Takes one line with its newline. Default: standard error. */
  readonly write?: (line: string) => void;
}

/** One JSON object a line: time, level, event, then the fields. */
export function createJsonLogger(options: JsonLoggerOptions): Logger {
  const write = options.write ?? standardErrorWriter(options);
  const lowest = levels.indexOf(options.levelMin ?? "info");
  const bind = (bound: LogFields): Logger => {
    const at =
      (level: LogLevel) =>
      (event: string, fields?: LogFields): void => {
        if (levels.indexOf(level) < lowest) return;
        write(lineOf(options.clock, level, event, { ...bound, ...fields }));
      };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (fields) => bind({ ...bound, ...fields }),
    };
  };
  return bind(options.fields ?? {});
}

function standardErrorWriter({ clock, fields }: JsonLoggerOptions): (line: string) => void {
  const describeLoss = (lineCount: number): string => lineOf(clock, "warn", "log.lines_lost", { ...fields, lineCount });
  const output = openLogOutput(2, describeLoss);
  return (line) => output.write(line);
}

function lineOf(clock: Clock, level: LogLevel, event: string, fields: LogFields): string {
  const time = new Date(clock.wallMs()).toISOString();
  return `${JSON.stringify({ time, level, event, ...fields })}\n`;
}
