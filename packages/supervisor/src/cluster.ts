import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { HoldfastError } from "@holdfast/base";
import { claimDataDirectory, type DataDirectory, isOurProcess } from "./data-directory.ts";
import { ensurePageBuilt } from "./page-build.ts";
import { planCluster, type PlannedProcess, portNames } from "./plan.ts";
import { choosePorts, requirePort } from "./ports.ts";
import type { ClusterSettings } from "./settings.ts";
import { SupervisedProcess } from "./supervised-process.ts";

/** A local cluster under supervision. */
export interface LocalCluster {
  /** "http://127.0.0.1:8080". */
  readonly origin: string;
  /** The one-time link to make the first account, when there is none yet. */
  setupLink(): Promise<string | undefined>;
  /** Ends the processes in reverse order of their start and gives the data directory back. */
  stop(): Promise<void>;
}

/** What starting needs besides the settings. */
export interface ClusterOptions {
  /** Of the repository. */
  readonly root: string;
  /** What a relative `data` is relative to. */
  readonly callerDirectory: string;
  /** Told what happens, line by line. */
  readonly report: (line: string) => void;
  /** Gives up waiting for readiness. */
  readonly signal: AbortSignal;
}

const stopGraceMs = 10_000;
const readyTimeoutMs = 80_000;

/** Starts everything and resolves once sign-in and upload work. Errors: `precondition` in words; nothing is left running then. */
export async function startCluster(settings: ClusterSettings, options: ClusterOptions): Promise<LocalCluster> {
  await requirePort(settings.port, settings.host);
  const dataPath = path.resolve(options.callerDirectory, settings.data);
  const data = await claimDataDirectory(dataPath, {
    masters: Number(settings.masters),
    chunkSizeBytes: settings.chunkSizeBytes,
  });
  const processes: SupervisedProcess[] = [];
  const stop = async (): Promise<void> => {
    await stopInOrder(processes);
    await data.release();
  };
  try {
    await endLeftovers(data, options.report);
    await rm(path.join(data.runPath, "setup-url"), { force: true });
    processes.push(...(await planProcesses(settings, data, options)));
    for (const process of processes) process.start();
    const origin = `http://${settings.host.includes(":") ? `[${settings.host}]` : settings.host}:${settings.port}`;
    await waitUntilReady(origin, data.runPath, options.signal);
    const setupLink = async (): Promise<string | undefined> => readText(path.join(data.runPath, "setup-url"));
    return { origin, setupLink, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function planProcesses(
  settings: ClusterSettings,
  data: DataDirectory,
  options: ClusterOptions,
): Promise<readonly SupervisedProcess[]> {
  const pagePath = await ensurePageBuilt(options.root, process.execPath);
  const masters = Number(settings.masters);
  const portsFile = path.join(data.runPath, "ports.json");
  const names = portNames(masters, settings.chunkservers);
  const previous = JSON.parse((await readText(portsFile)) ?? "{}") as Record<string, number>;
  const ports = await choosePorts(names, {
    previous,
    basePort: settings.basePort === 0 ? undefined : settings.basePort,
  });
  await writeFile(`${portsFile}.tmp`, JSON.stringify(ports, undefined, 2));
  await rename(`${portsFile}.tmp`, portsFile);
  const { clusterId, chunkSizeBytes } = data.identity;
  const { host, port, chunkservers, replication, preset } = settings;
  const shape = {
    dataPath: data.path,
    runPath: data.runPath,
    clusterId,
    host,
    port,
    masters,
    chunkservers,
    replication,
    chunkSizeBytes,
    preset,
    pagePath,
    ports,
  };
  const supervision = {
    runPath: data.runPath,
    nodePath: process.execPath,
    isRestarted: !settings.noRestart,
    report: options.report,
  };
  return planCluster(shape).map(
    (planned) =>
      new SupervisedProcess(
        {
          name: planned.name,
          script: path.join(options.root, "packages", planned.package, "src/main.ts"),
          nodeFlags: nodeFlagsOf(planned),
          parameters: planned.parameters,
          environment: environmentOf(planned, data.path),
        },
        supervision,
      ),
  );
}

/** What a process must find in its environment, because it cannot be said by a flag. */
function environmentOf(planned: PlannedProcess, dataPath: string): Readonly<Record<string, string>> {
  switch (planned.package) {
    case "master":
      return {};
    case "chunkserver":
      // Disk operations wait in Node's thread pool; its size is read before any code of ours runs.
      return { UV_THREADPOOL_SIZE: "8" };
    case "gateway":
      return { DFS_USER_STORE: process.env["DFS_USER_STORE"] ?? path.join(dataPath, "user_store.json") };
  }
}

/**
 * Bytes on their way live outside of V8's heap, which by default marks its whole heap anew after every few megabytes of
 * them: a third of a chunkserver's time. With these two flags the buffers count as part of a heap of this size (MiB), and
 * cheap scavenges free them; measured: no full collection instead of one per 7 MB, and less memory in use.
 */
const bulkNodeFlags = ["--external-memory-accounted-in-global-limit", "--initial-heap-size=256"] as const;

function nodeFlagsOf(planned: PlannedProcess): readonly string[] {
  return planned.package === "master" ? [] : bulkNodeFlags;
}

/** A supervisor that was killed for good leaves its children; they hold the ports and the stores. */
async function endLeftovers(data: DataDirectory, report: (line: string) => void): Promise<void> {
  const names = (await readdir(data.runPath)).filter((name) => name.endsWith(".pid") && name !== "supervisor.pid");
  for (const name of names) {
    const pid = Number(((await readText(path.join(data.runPath, name))) ?? "").trim());
    if (await isOurProcess(pid, data.path)) {
      report(`${name.slice(0, -4)} was left over from an earlier run (process ${pid}); ending it`);
      process.kill(pid, "SIGKILL");
      while (await isOurProcess(pid, data.path)) await delay(20);
    }
    await rm(path.join(data.runPath, name), { force: true });
  }
}

async function stopInOrder(processes: readonly SupervisedProcess[]): Promise<void> {
  // The gateway first (it finishes requests), then chunkservers, then masters, which the others still talk to.
  const groups = ["gateway-", "node-", "master-"];
  for (const prefix of groups) {
    await Promise.all(
      processes.filter(({ plan }) => plan.name.startsWith(prefix)).map((process) => process.stop(stopGraceMs)),
    );
  }
}

async function waitUntilReady(origin: string, runPath: string, signal: AbortSignal): Promise<void> {
  const untilMs = performance.now() + readyTimeoutMs;
  while (performance.now() < untilMs) {
    if (signal.aborted)
      throw new HoldfastError("cancelled", "Stopped before it was ready. Data that was there is safe.");
    const isReady = await fetch(`${origin}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return;
    await delay(100);
  }
  throw new HoldfastError(
    "unavailable",
    `The cluster was not ready within ${readyTimeoutMs / 1_000} s and was stopped. Data that was there is safe. The logs in ${runPath} say why.`,
  );
}

async function readText(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}
