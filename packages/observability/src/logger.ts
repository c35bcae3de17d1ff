/** Facts of a log line: flat, JSON-able, no secrets. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Structured logger, as a port. `event` is a constant name ("raft.term_advanced"), data goes into fields.
 * `error` means that a person must act.
 */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A logger that adds these fields to every line. */
  child(fields: LogFields): Logger;
}

/** Drops everything. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
