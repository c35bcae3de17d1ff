import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { waitFor } from "./wait-for.ts";

const root = path.resolve(import.meta.dirname, "../../..");

/** The account that `DFS_DEFAULT_USER_*` makes in tests. */
export const testUser = { email: "ada@example.org", password: "correct horse battery" } as const;

/** How a test's cluster differs from `npm start`. */
export interface LocalClusterOptions {
  /** An existing data directory to start again on; else a fresh temporary one. */
  readonly dataPath?: string;
  readonly port?: number;
  /** More flags of `npm start`. */
  readonly flags?: readonly string[];
  /** Without the default account, to see the set-up link. */
  readonly isWithoutUser?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A whole cluster in real processes, started the way `npm start` starts it. */
export interface LocalCluster {
  readonly origin: string;
  readonly port: number;
  readonly dataPath: string;
  /** Everything the supervisor said. */
  output(): string;
  /** Process id of "master-1", "node-2", "gateway-1", "supervisor"; undefined while it is down. */
  pid(name: string): Promise<number | undefined>;
  /** Kills it for good (SIGKILL) and resolves with its id. */
  kill(name: string): Promise<number>;
  /** Kills the supervisor and every process of the cluster at once. */
  killEverything(): Promise<void>;
  /** SIGTERM to the supervisor; resolves with its exit code. */
  stop(): Promise<number>;
  /** Stops, and removes the data directory if this cluster made it. */
  destroy(): Promise<void>;
}

/** Starts a cluster and resolves at its ready line. Rejects with its output when it ends before. */
export async function startLocalCluster(options: LocalClusterOptions = {}): Promise<LocalCluster> {
  const dataPath = options.dataPath ?? (await mkdtemp(path.join(tmpdir(), "holdfast-cluster-")));
  const port = options.port ?? (await freePort());
  const started = runSupervisor({ ...options, dataPath, port });
  const origin = `http://127.0.0.1:${port}`;
  const { child } = started;
  try {
    await waitFor(
      "the ready line",
      () => {
        if (child.exitCode !== null)
          throw new Error(`the cluster ended with code ${child.exitCode}:\n${started.output()}`);
        return started.output().includes(`Holdfast is ready: ${origin}\n`);
      },
      120_000,
    );
  } catch (error) {
    child.kill("SIGTERM");
    throw new Error(`${String(error)}\n${started.output()}`, { cause: error });
  }
  const pid = async (name: string): Promise<number | undefined> => {
    const text = await readFile(path.join(dataPath, "run", `${name}.pid`), "utf8").catch(() => "");
    return text.trim() === "" ? undefined : Number(text);
  };
  const stop = async (): Promise<number> => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    return started.exited;
  };
  return {
    origin,
    port,
    dataPath,
    output: started.output,
    pid,
    async kill(name) {
      const found = await pid(name);
      if (found === undefined) throw new Error(`${name} is not running`);
      process.kill(found, "SIGKILL");
      return found;
    },
    async killEverything() {
      const names = ["gateway-1", ...[1, 2, 3, 4, 5].flatMap((id) => [`master-${id}`, `node-${id}`])];
      const pids = (await Promise.all(names.map(pid))).filter((found) => found !== undefined);
      child.kill("SIGKILL");
      for (const found of pids) process.kill(found, "SIGKILL");
      await started.exited;
    },
    stop,
    async destroy() {
      await stop();
      if (options.dataPath === undefined) await rm(dataPath, { recursive: true, force: true });
    },
  };
}

/** A supervisor that was started; it may refuse. */
export interface StartedSupervisor {
  readonly child: ChildProcess;
  readonly exited: Promise<number>;
  output(): string;
}

/** Runs the supervisor as the launcher does. */
export function runSupervisor(
  options: LocalClusterOptions & { readonly dataPath: string; readonly port: number },
): StartedSupervisor {
  const account =
    options.isWithoutUser === true
      ? {}
      : { DFS_DEFAULT_USER_EMAIL: testUser.email, DFS_DEFAULT_USER_PASSWORD: testUser.password };
  const child = spawn(
    process.execPath,
    [
      path.join(root, "packages/supervisor/src/main.ts"),
      ...["--port", String(options.port), "--data", options.dataPath],
      ...(options.flags ?? []),
    ],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...account, ...options.environment } },
  );
  let output = "";
  const collect = (part: Buffer): void => {
    output += part.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const exited = new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? -1)));
  return { child, exited, output: () => output };
}

/** A TCP port that is free now. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === "object" ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
