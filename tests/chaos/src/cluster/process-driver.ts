import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { freePort } from "@holdfast/tests-conformance";
import type { ClusterDriver, Endpoint, ProcessPlan, ProcessSignal } from "./cluster-driver.ts";
import { Lan } from "./lan.ts";
import { runCommand } from "./run-command.ts";

const root = path.resolve(import.meta.dirname, "../../../..");

/** Plain processes of this machine, each in a network of its own where that can be had. */
export class ProcessDriver implements ClusterDriver {
  readonly kind = "process";
  readonly cutMissing: string | undefined;
  readonly #lan: Lan | undefined;
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #logPaths = new Map<string, string>();
  readonly #children = new Map<string, { readonly child: ChildProcess; readonly gone: Promise<void> }>();

  private constructor(lan: Lan | string, endpoints: ReadonlyMap<string, Endpoint>) {
    this.#lan = typeof lan === "string" ? undefined : lan;
    this.cutMissing = typeof lan === "string" ? lan : undefined;
    this.#endpoints = endpoints;
  }

  static async create(names: readonly string[]): Promise<ProcessDriver> {
    const missing = await Lan.missing();
    if (missing === undefined) {
      const lan = await Lan.create(names);
      const endpoint = (name: string): Endpoint => ({ host: lan.addressOf(name), port: 7000, healthPort: 7001 });
      return new ProcessDriver(lan, new Map(names.map((name) => [name, endpoint(name)])));
    }
    const endpoints = new Map<string, Endpoint>();
    for (const name of names)
      endpoints.set(name, { host: "127.0.0.1", port: await freePort(), healthPort: await freePort() });
    return new ProcessDriver(missing, endpoints);
  }

  endpoint(name: string): Endpoint {
    const endpoint = this.#endpoints.get(name);
    if (endpoint === undefined) throw new Error(`there is no process ${name}`);
    return endpoint;
  }

  async launch(plan: ProcessPlan, onExit: (how: string) => void): Promise<void> {
    if (this.#children.has(plan.name)) throw new Error(`${plan.name} runs already`);
    const command = [process.execPath, ...plan.command];
    const [program = "", ...parameters] = this.#lan?.inside(plan.name, command) ?? command;
    this.#logPaths.set(plan.name, plan.logPath);
    const log = openSync(plan.logPath, "a");
    const child = spawn(program, parameters, {
      cwd: root,
      stdio: ["ignore", log, log],
      // Its own group: Ctrl+C in the terminal is for the harness, which ends everything in order.
      detached: true,
      // Whatever happens to the harness, its processes must not outlive it.
      env: { ...plainEnvironment(), ...plan.environment, HOLDFAST_PARENT_PID: String(process.pid) },
    });
    closeSync(log);
    const gone = new Promise<void>((resolve) => {
      const ended = (how: string): void => {
        if (this.#children.get(plan.name)?.child === child) this.#children.delete(plan.name);
        resolve();
        onExit(how);
      };
      child.once("exit", (code, signal) => ended(signal === null ? `exit code ${code}` : `signal ${signal}`));
      child.once("error", (error) => ended(error.message));
    });
    this.#children.set(plan.name, { child, gone });
  }

  async signal(name: string, signal: ProcessSignal): Promise<void> {
    this.#children.get(name)?.child.kill(signal);
  }

  async inNetworkOf(name: string, command: readonly string[]): Promise<void> {
    if (this.#lan === undefined) throw new Error(`the network cannot be cut here: ${this.cutMissing}`);
    await runCommand(this.#lan.inside(name, command));
  }

  async logOf(name: string): Promise<string> {
    const logPath = this.#logPaths.get(name);
    return logPath === undefined ? "" : readFile(logPath, "utf8");
  }

  async close(): Promise<void> {
    const running = [...this.#children.values()];
    for (const { child } of running) child.kill("SIGKILL");
    await Promise.all(running.map(({ gone }) => gone));
    await this.#lan?.destroy();
  }
}

/** Without settings that are meant for `npm start`. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HOLDFAST|DFS)_/.test(name)));
}
