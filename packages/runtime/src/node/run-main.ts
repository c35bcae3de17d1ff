import { writeFile } from "node:fs/promises";
import { isHoldfastError } from "@holdfast/base";
import type { Settings, SettingsOf, SettingsTable } from "./settings.ts";

/** What `runMain` needs of a logger; the Logger port of `@holdfast/observability` fits. */
export interface MainLogger {
  info(event: string, fields?: Readonly<Record<string, string | number | boolean | undefined>>): void;
  error(event: string, fields?: Readonly<Record<string, string | number | boolean | undefined>>): void;
}

/** A process that was built and runs. */
export interface RunningProcess {
  /** Ends it cleanly; called once. */
  stop(): Promise<void>;
}

/** One process of the product. */
export interface MainProgram<T extends SettingsTable, L extends MainLogger> {
  /** For messages: "holdfast-master". */
  readonly name: string;
  readonly settings: Settings<T>;
  readonly createLogger: (values: SettingsOf<T>) => L;
  /**
   * Builds and starts the process. A thrown `HoldfastError` ends it with its message and exit code 1, or 2 when it is
   * `invalidArgument`: a setting, or a file that one names, is wrong, and starting again would not help.
   */
  readonly start: (values: SettingsOf<T>, logger: L) => Promise<RunningProcess>;
  /** When given, the process id is written there once the process runs. */
  readonly pidFile?: (values: SettingsOf<T>) => string | undefined;
  /** A stop that lasts longer is cut off with exit code 1. Default 15 s. */
  readonly stopTimeoutMs?: number;
}

const exitUsage = 2;
const parentCheckIntervalMs = 500;

/**
 * Runs a process: reads flags and environment, starts it, stops it once on SIGINT or SIGTERM (a second signal ends it
 * at once), and ends it with a log line on anything nobody caught. Exit codes: 0 stopped, 1 failed, 2 bad settings.
 */
export async function runMain<T extends SettingsTable, L extends MainLogger>(
  program: MainProgram<T, L>,
): Promise<void> {
  const parsed = program.settings.parse({ argv: process.argv.slice(2), env: process.env });
  if (parsed.kind === "help") {
    process.stdout.write(`${program.name}\n${program.settings.help()}\n`);
    return;
  }
  if (parsed.kind === "faults") {
    process.stderr.write(
      `${program.name} cannot start; settings are wrong:\n${parsed.faults.map((fault) => `  ${fault}\n`).join("")}`,
    );
    process.exitCode = exitUsage;
    return;
  }
  const logger = program.createLogger(parsed.values);
  endOnUncaught(logger);
  logger.info("process.starting", { ...program.settings.printable(parsed.values), pid: process.pid });
  const stopWanted = stopSignal(logger);
  try {
    const running = await program.start(parsed.values, logger);
    const pidFile = program.pidFile?.(parsed.values);
    if (pidFile !== undefined) await writeFile(pidFile, `${process.pid}\n`);
    logger.info("process.started", { name: program.name });
    await stopWanted;
    await stopInTime(running, program.stopTimeoutMs ?? 15_000);
    logger.info("process.stopped", { name: program.name });
    process.exit(0);
  } catch (error) {
    logger.error("process.failed", describe(error));
    process.stderr.write(`${program.name} failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(isHoldfastError(error, "invalidArgument") ? exitUsage : 1);
  }
}

function stopSignal(logger: MainLogger): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        logger.info("process.stop_asked", { signal });
        count++;
        if (count > 1) process.exit(1);
        resolve();
      });
    }
    followParent(() => {
      logger.info("process.parent_gone");
      resolve();
    });
  });
}

/** A supervised process does not outlive a supervisor that was killed: it would hold ports and data that the next one needs. */
function followParent(onGone: () => void): void {
  const parent = Number(process.env["HOLDFAST_PARENT_PID"] ?? "0");
  if (!Number.isSafeInteger(parent) || parent <= 1) return;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, parentCheckIntervalMs);
  timer.unref();
}

function stopInTime(running: RunningProcess, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the process did not stop within ${timeoutMs} ms`)), timeoutMs);
    running
      .stop()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

function endOnUncaught(logger: MainLogger): void {
  const end = (error: unknown): void => {
    logger.error("process.uncaught", describe(error));
    process.exit(1);
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
}

function describe(error: unknown): Record<string, string> {
  if (!(error instanceof Error)) return { message: String(error) };
  return { message: error.message, kind: isHoldfastError(error) ? error.kind : error.name, stack: error.stack ?? "" };
}
