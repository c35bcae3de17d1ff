import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

/** One process of the cluster: how to start it. */
export interface ProcessPlan {
  /** "master-1", "node-3", "gateway-1": also the name of its pid file and log. */
  readonly name: string;
  /** Path of its `main.ts`. */
  readonly script: string;
  /** Flags of Node itself. */
  readonly nodeFlags: readonly string[];
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** What the supervisor does with all of them alike. */
export interface SupervisionOptions {
  readonly runPath: string;
  readonly nodePath: string;
  /** Start again after an accidental death. */
  readonly isRestarted: boolean;
  /** Told of deaths and restarts. */
  readonly report: (line: string) => void;
}

const restartDelayMs = 1_000;
const restartDelayMaxMs = 10_000;
/** A process that lived longer than this died by accident, not by its own fault. */
const healthyAfterMs = 10_000;
const pidRetryMs = 1_000;
const logSizeMaxBytes = 16 * 1024 * 1024;

/** What a process ends with when its settings are wrong; starting it again would not help. */
const exitBadSettings = 2;

/** Keeps one process running until told to stop, or until it says that its settings are wrong. */
export class SupervisedProcess {
  readonly plan: ProcessPlan;
  readonly #options: SupervisionOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #restartTimer: NodeJS.Timeout | undefined;
  #isStopping = false;
  #quickDeathCount = 0;
  #settingsFault = "";

  constructor(plan: ProcessPlan, options: SupervisionOptions) {
    this.plan = plan;
    this.#options = options;
  }

  /** What becomes of it at present. */
  get state(): "running" | "stopped" | "restarting" {
    if (this.#child !== undefined) return "running";
    return this.#restartTimer !== undefined && !this.#isStopping ? "restarting" : "stopped";
  }

  /** In its own words, why it cannot start and is left alone; else empty. */
  get settingsFault(): string {
    return this.#settingsFault;
  }

  /** Of the process; 0 while there is none. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it; call once. Where the disk is full or broken it is tried again, as after a death. */
  start(): void {
    this.#restartTimer = undefined;
    try {
      this.#spawn();
    } catch (error) {
      this.#died(`it could not be started: ${String(error)}`, 0);
    }
  }

  #spawn(): void {
    const logPath = path.join(this.#options.runPath, `${this.plan.name}.log`);
    rotate(logPath);
    const child = this.#spawnLoggingTo(logPath);
    this.#child = child;
    const startedAtMs = performance.now();
    this.#writePid(child);
    this.#exited = new Promise((resolve) => {
      const ended = (description: string, code: number | null): void => {
        if (this.#child !== child) return;
        this.#child = undefined;
        this.#removePid();
        resolve();
        if (this.#isStopping) return;
        if (code === exitBadSettings) this.#giveUp(logPath);
        else this.#died(description, performance.now() - startedAtMs);
      };
      child.once("exit", (code, signal) => ended(signal === null ? `exit code ${code}` : `signal ${signal}`, code));
      child.once("error", (error) => ended(error.message, null));
    });
  }

  #spawnLoggingTo(logPath: string): ChildProcess {
    const { plan } = this;
    const log = openSync(logPath, "a");
    try {
      // Its own process group: Ctrl+C in the terminal must reach only the supervisor, which stops the others in order.
      return spawn(this.#options.nodePath, [...plan.nodeFlags, plan.script, ...plan.parameters], {
        stdio: ["ignore", log, log],
        detached: true,
        env: { ...inheritedEnvironment(), ...plan.environment, HOLDFAST_PARENT_PID: String(process.pid) },
      });
    } finally {
      closeSync(log);
    }
  }

  /** Where that fails (a full disk) it is reported once and tried again until the process ends: it runs all the same. */
  #writePid(child: ChildProcess, report = this.#options.report): void {
    if (child.pid === undefined || this.#child !== child) return;
    try {
      writeFileSync(this.#pidPath(), `${child.pid}\n`);
    } catch (error) {
      report(`${this.plan.name} runs, but its pid file cannot be written: ${String(error)}`);
      setTimeout(() => this.#writePid(child, () => undefined), pidRetryMs).unref();
    }
  }

  /** A file that stays (a disk that cannot be written) names a process that is gone; the next start writes it anew. */
  #removePid(): void {
    try {
      rmSync(this.#pidPath(), { force: true });
    } catch (error) {
      this.#options.report(`${this.plan.name} ended, but its pid file cannot be removed: ${String(error)}`);
    }
  }

  #giveUp(logPath: string): void {
    this.#settingsFault = lastWords(logPath);
    this.#options.report(`${this.plan.name} cannot start: ${this.#settingsFault}`);
  }

  #died(description: string, livedMs: number): void {
    this.#quickDeathCount = livedMs > healthyAfterMs ? 0 : this.#quickDeathCount + 1;
    if (!this.#options.isRestarted) {
      this.#options.report(`${this.plan.name} ended (${description}); not started again (--no-restart)`);
      return;
    }
    // The first deaths are restarted at the promised 1 s; only a process that keeps dying at once is slowed down.
    const delayMs = Math.min(restartDelayMaxMs, restartDelayMs * Math.max(1, this.#quickDeathCount - 3));
    this.#options.report(`${this.plan.name} ended (${description}); starting it again in ${delayMs / 1_000} s`);
    this.#restartTimer = setTimeout(() => this.start(), delayMs);
  }

  /** SIGTERM, then SIGKILL after `graceMs`. Resolves when it is gone. Idempotent. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restartTimer);
    const child = this.#child;
    if (child === undefined) return;
    child.kill("SIGTERM");
    const force = setTimeout(() => {
      this.#options.report(`${this.plan.name} did not stop within ${graceMs / 1_000} s; killing it`);
      child.kill("SIGKILL");
    }, graceMs);
    await this.#exited;
    clearTimeout(force);
  }

  #pidPath(): string {
    return path.join(this.#options.runPath, `${this.plan.name}.pid`);
  }
}

/** Keeps one older log, so that a process that dies and comes back for days does not fill the disk. */
function rotate(logPath: string): void {
  const size = statSync(logPath, { throwIfNoEntry: false })?.size ?? 0;
  if (size > logSizeMaxBytes) renameSync(logPath, `${logPath}.1`);
}

/** The cluster's own settings (HOLDFAST_PORT ...) mean something else to a single process; those come as parameters. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("HOLDFAST_")));
}

/** What a process said last of why it failed (it goes to its log). */
function lastWords(logPath: string): string {
  const lines = readFileSync(logPath, "utf8").split("\n");
  const words = lines.findLast((line) => /^holdfast-\w+ (failed|cannot start)/.test(line));
  return words?.replace(/^holdfast-\w+ failed: /, "") ?? `its settings are wrong; ${logPath} says which.`;
}
