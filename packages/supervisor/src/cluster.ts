import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { HoldfastError } from "@holdfast/base";
import { isLoopback } from "@holdfast/rpc/node";
import { openAuthority } from "@holdfast/trust";
import { keepAuthorityFile } from "@holdfast/trust/node";
import { claimDataDirectory, type DataDirectory, isOurProcess } from "./data-directory.ts";
import { createJoinFiles, type JoinFiles, nodeNameOf } from "./join-files.ts";
import { LocalNodes, type NodeProcess } from "./local-nodes.ts";
import { openLocalNodesFile } from "./local-nodes-file.ts";
import { listenForGateway } from "./local-nodes-listener.ts";
import { ensurePageBuilt } from "./page-build.ts";
import {
  type ClusterShape,
  masterPortNames,
  planGateway,
  planMasters,
  plannedNodeNames,
  planNode,
  portNamesOf,
} from "./plan.ts";
import { openPortBook, type PortBook } from "./port-book.ts";
import { requireOwnAddress, requirePort } from "./ports.ts";
import { createProcessMaker, type ProcessMaker } from "./process-maker.ts";
import { keepSecretFile, writeSecretFile } from "./secret-file.ts";
import type { ClusterSettings } from "./settings.ts";
import type { SupervisedProcess } from "./supervised-process.ts";
import { writeFileDurably } from "./write-file-durably.ts";

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
  await requireOwnAddress(settings.advertiseHost);
  const dataPath = path.resolve(options.callerDirectory, settings.data);
  const data = await claimDataDirectory(dataPath, {
    masters: Number(settings.masters),
    chunkSizeBytes: settings.chunkSizeBytes,
  });
  const undo: (() => Promise<void>)[] = [() => data.release()];
  const stop = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    await endLeftovers(data, options.report);
    await rm(path.join(data.runPath, "setup-url"), { force: true });
    const gateway = await startProcesses(settings, data, { ...options, onStop: (step) => undo.push(step) });
    const origin = `http://${settings.host.includes(":") ? `[${settings.host}]` : settings.host}:${settings.port}`;
    await waitUntilReady(origin, { runPath: data.runPath, signal: options.signal, gateway });
    const setupLink = async (): Promise<string | undefined> => readText(path.join(data.runPath, "setup-url"));
    return { origin, setupLink, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Masters, chunkservers, gateway; steps to end them, the gateway first (it finishes requests), the masters last. */
async function startProcesses(
  settings: ClusterSettings,
  data: DataDirectory,
  options: ClusterOptions & { readonly onStop: (step: () => Promise<void>) => void },
): Promise<SupervisedProcess> {
  const { onStop } = options;
  const pagePath = await ensurePageBuilt(options.root, process.execPath);
  const basePort = settings.basePort === 0 ? undefined : settings.basePort;
  const hosts = [...new Set(["127.0.0.1", settings.advertiseHost])];
  // The gateway listens last: until then its port looks free.
  const reserved = [settings.port];
  const book = await openPortBook(path.join(data.runPath, "ports.json"), { basePort, hosts, reserved });
  const ports = await book.take([...masterPortNames(Number(settings.masters)), "supervisor"]);
  const supervisorAddress = `127.0.0.1:${ports["supervisor"] ?? 0}`;
  const shape = await shapeOf(settings, data, { pagePath, ports, supervisorAddress });
  const make = createProcessMaker({
    root: options.root,
    data,
    isRestarted: !settings.noRestart,
    report: options.report,
  });
  const masters = planMasters(shape).map(make);
  onStop(async () => {
    await Promise.all(masters.map((master) => master.stop(stopGraceMs)));
  });
  for (const master of masters) master.start();

  const joinFiles = createJoinFiles(data.path, shape.joinSecretFile);
  const nodes = await openLocalNodes(settings, data, { shape, make, book, joinFiles });
  onStop(() => nodes.stopAll());
  await nodes.startAll();
  const secret = await writeSecretFile(shape.supervisorSecretFile);
  const listener = await listenForGateway(supervisorAddress, { nodes, secret, nodeIdOf: joinFiles.nodeIdOf });
  onStop(() => listener.close());

  const gateway = make(planGateway(shape));
  onStop(() => gateway.stop(stopGraceMs));
  gateway.start();
  return gateway;
}

async function openLocalNodes(
  settings: ClusterSettings,
  data: DataDirectory,
  parts: NodeProcessParts,
): Promise<LocalNodes> {
  return new LocalNodes({
    plannedNames: plannedNodeNames(settings.chunkservers),
    takenNames: (await readdir(data.path)).filter((name) => name.startsWith("node-")).map(nodeNameOf),
    file: await openLocalNodesFile(path.join(data.path, "local-nodes.json")),
    keepJoinSecret: (name, joinSecret) => parts.joinFiles.keep(name, joinSecret),
    makeProcess: (name) => nodeProcess(name, parts),
  });
}

interface NodeProcessParts {
  readonly shape: ClusterShape;
  readonly make: ProcessMaker;
  readonly book: PortBook;
  readonly joinFiles: JoinFiles;
}

async function nodeProcess(name: string, { shape, make, book, joinFiles }: NodeProcessParts): Promise<NodeProcess> {
  const joinSecretFile = await joinFiles.secretFileOf(name);
  const supervised = make(planNode({ ...shape, joinSecretFile }, name, await book.take(portNamesOf(name))));
  return {
    get state() {
      return supervised.state;
    },
    get pid() {
      return supervised.pid;
    },
    start: () => supervised.start(),
    stop: () => supervised.stop(stopGraceMs),
  };
}

async function shapeOf(
  settings: ClusterSettings,
  data: DataDirectory,
  parts: Pick<ClusterShape, "pagePath" | "ports" | "supervisorAddress">,
): Promise<ClusterShape> {
  const { clusterId, chunkSizeBytes } = data.identity;
  const { host, port, replication, preset } = settings;
  const joinSecretFile = path.join(data.path, "join.secret");
  await keepSecretFile(joinSecretFile);
  const innerHost = settings.advertiseHost;
  const authority = isLoopback(`${innerHost}:0`) ? undefined : await keepAuthority(data);
  return {
    ...{ innerHost, authority },
    ...{ dataPath: data.path, runPath: data.runPath, clusterId, host, port, masters: Number(settings.masters) },
    ...{ replication, chunkSizeBytes, preset, joinSecretFile },
    supervisorSecretFile: path.join(data.runPath, "supervisor.secret"),
    ...parts,
  };
}

/** Made when it is needed first. The key is for masters alone; the certificate is for everybody to see. */
async function keepAuthority({ path: dataPath, identity }: DataDirectory): Promise<ClusterShape["authority"]> {
  const keyFile = path.join(dataPath, "authority.pem");
  const text = await keepAuthorityFile(keyFile, { clusterId: identity.clusterId, nowMs: Date.now() });
  const certificateFile = path.join(dataPath, "authority.crt");
  await writeFileDurably(certificateFile, openAuthority(text).certificate);
  return { keyFile, certificateFile };
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

async function waitUntilReady(
  origin: string,
  options: {
    readonly runPath: string;
    readonly signal: AbortSignal;
    readonly gateway: Pick<SupervisedProcess, "settingsFault">;
  },
): Promise<void> {
  const { runPath, signal, gateway } = options;
  const untilMs = performance.now() + readyTimeoutMs;
  while (performance.now() < untilMs) {
    if (signal.aborted)
      throw new HoldfastError("cancelled", "Stopped before it was ready. Data that was there is safe.");
    if (gateway.settingsFault !== "") throw new HoldfastError("precondition", gateway.settingsFault);
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
