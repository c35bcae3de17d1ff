import { HoldfastError, isHoldfastError, toHex } from "@holdfast/base";
import type { Gauge, Metrics } from "@holdfast/observability";
import { ChunkControlService, ChunkDataService } from "@holdfast/proto/chunk/v1/chunk";
import { serve } from "@holdfast/rpc";
import type { Listener } from "@holdfast/rpc";
import type { ChunkserverConfig } from "./config.ts";
import { Drills } from "./drills/drills.ts";
import { DeltaLog } from "./heartbeat/delta-log.ts";
import type { ReportSender } from "./heartbeat/report.ts";
import { Reporter } from "./heartbeat/reporter.ts";
import { DataDirectories } from "./identity/data-directories.ts";
import { openHighestTerm } from "./identity/highest-term.ts";
import type { HighestTerm } from "./identity/highest-term.ts";
import { openNodeIdentity } from "./identity/node-identity.ts";
import type { NodeFacts, NodeIdentity } from "./identity/node-identity.ts";
import { LatencyMeter } from "./measure/latency-meter.ts";
import { MeasuredStore } from "./measure/measured-store.ts";
import type { ChunkserverPorts } from "./ports.ts";
import { createBadSourceReporter } from "./replicate/bad-source-reporter.ts";
import { BackgroundReads } from "./replicate/background-reads.ts";
import { Replicator } from "./replicate/replicator.ts";
import { Yielding } from "./replicate/yielding.ts";
import { Scrubber } from "./scrub/scrubber.ts";
import { createChunkControlService } from "./services/chunk-control-service.ts";
import { createChunkDataService } from "./services/chunk-data-service.ts";
import type { ChunkStore, StoreStatus } from "./store/chunk-store.ts";
import { openFileChunkStore } from "./store/file-chunk-store.ts";
import { openMultiDiskStore } from "./store/open-multi-disk-store.ts";

const gaugeIntervalMs = 1000;

/** A running chunkserver. */
export interface Chunkserver {
  /** host:port it serves on. */
  readonly address: string;
  /** Who it is now. */
  node(): NodeFacts;
  /** Whether a leader knows it at present and its disk takes chunks. */
  readiness(): { readonly isReady: boolean; readonly reason?: string };
  status(): StoreStatus;
  /** Stops taking calls, ends those in progress, and waits for what is on its way to disk. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts a chunkserver: identity, inventory, services, heartbeat, scrub, in that order. Whatever was begun is undone when
 * a step fails. Errors: wrongCluster, precondition (directory in use, port taken, identity missing), diskFailed.
 */
export async function buildChunkserver(config: ChunkserverConfig, ports: ChunkserverPorts): Promise<Chunkserver> {
  const undo: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    return await start(config, ports, { onStop: (step) => undo.push(step), stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Lifetime {
  /** Steps run at the end, the last one first. */
  readonly onStop: (step: () => Promise<void>) => void;
  readonly stop: () => Promise<void>;
}

async function start(
  config: ChunkserverConfig,
  realPorts: ChunkserverPorts,
  { onStop, stop }: Lifetime,
): Promise<Chunkserver> {
  const { clock, logger, timers } = realPorts;
  const drills = new Drills({ ...realPorts, dataDirectories: dataDirectoriesOf(config) });
  const ports = { ...realPorts, disk: drills.disk, network: drills.network };
  const { directories, identity, term } = await claimDirectories(config, ports, onStop);
  const node = (): NodeFacts => identity.facts;
  const masterAddresses = mastersOf(config, identity);
  await ports.enrol?.({ nodeUuid: node().nodeUuid, masterAddresses });
  const deltas = new DeltaLog();
  const store = await openStore(config, ports, { deltas, node });
  onStop(() => store.close());
  const meter = new LatencyMeter(clock);
  const measured = new MeasuredStore(store, { meter, clock });
  const background = new MeasuredStore(store, { meter, clock, isTimed: false });
  const yielding = new Yielding({ timers, meter, store, policy: config.replicate.yielding });
  yielding.start();
  onStop(async () => yielding.stop());

  const address = listenAddressOf(config, masterAddresses);
  const backgroundReads = backgroundReadsOf(config, ports, { store: background, yielding });
  const listener = await listen(config, ports, { store: measured, node, address, backgroundReads });
  onStop(() => listener.close(config.stopGraceMs));
  const leaderAddress = (): string | undefined => reporter.leaderAddress;
  const replicator = createReplicator(config, ports, { store: background, node, deltas, leaderAddress, yielding });
  onStop(() => replicator.stop());
  const reporter = new Reporter({
    ...{ ...ports, masterAddresses, store, identity, term, replicator, deltas, drills, meter },
    sender: senderOf(config, ports, { listener, identity }),
    intervals: config.reporter,
    onRefused: (error) => ports.onRefused?.(error),
    onNodesRefused: (nodeUuids) => ports.onNodesRefused?.(nodeUuids),
  });
  drills.attach(store, { masterAddresses, nodeUuid: node().nodeUuid });
  reporter.start();
  onStop(() => reporter.stop());
  const scrubber = new Scrubber({ ...ports, directories, store, policy: config.scrub });
  scrubber.start();
  onStop(() => scrubber.stop());
  const gauges = timers.every(gaugeIntervalMs, showStatus(ports.metrics, store));
  onStop(async () => gauges.cancel());
  // Before all others: what a drill holds back must not hold back the end.
  onStop(async () => drills.stop());

  const { chunkCount, usedBytes } = store.status();
  logger.info("chunkserver.started", { address: listener.address, chunkCount, usedBytes });
  return {
    address: listener.address,
    node,
    status: () => store.status(),
    readiness: () => readinessOf(reporter, store),
    stop,
  };
}

function openStore(
  config: ChunkserverConfig,
  ports: ChunkserverPorts,
  { deltas, node }: { readonly deltas: DeltaLog; readonly node: () => NodeFacts },
): Promise<ChunkStore> {
  const dataDirectories = dataDirectoriesOf(config);
  const { capacityBytesMax } = config.store;
  const share = capacityBytesMax === undefined ? undefined : Math.floor(capacityBytesMax / dataDirectories.length);
  const limits = { ...config.store, capacityBytesMax: share };
  const options = { ...ports, clusterId: () => node().clusterId, listener: deltas, limits };
  // On a single disk a failure leaves nowhere to go: its copies stay where they are, and are read while they can be.
  if (dataDirectories.length === 1) return openFileChunkStore({ ...options, dataDirectory: config.dataDirectory });
  return openMultiDiskStore({ ...options, dataDirectories });
}

/** All directories of the node, one for each disk. */
function dataDirectoriesOf(config: ChunkserverConfig): readonly string[] {
  return [config.dataDirectory, ...config.moreDataDirectories];
}

/** Keeps other processes out, and finds out who this node is. */
async function claimDirectories(
  config: ChunkserverConfig,
  ports: ChunkserverPorts,
  onStop: Lifetime["onStop"],
): Promise<{ readonly directories: DataDirectories; readonly identity: NodeIdentity; readonly term: HighestTerm }> {
  const { disk, random } = ports;
  const directories = new DataDirectories(disk, dataDirectoriesOf(config));
  for (const directory of directories.paths) {
    try {
      await disk.makeDirectory(directory);
      await directories.assertOwn(directory);
      const lock = await ports.lockDirectory?.(directory);
      if (lock !== undefined) onStop(() => lock.release());
    } catch (error) {
      // One disk of several may be dead: the others go on without it.
      if (directories.paths.length === 1 || !isHoldfastError(error, "diskFailed", "notFound")) throw error;
    }
  }
  const identity = await openNodeIdentity({ directories, random, expectedClusterId: config.expectedClusterId });
  return { directories, identity, term: await openHighestTerm(directories) };
}

interface ReplicatorParts {
  readonly store: ChunkStore;
  readonly node: () => NodeFacts;
  readonly deltas: DeltaLog;
  readonly leaderAddress: () => string | undefined;
  readonly yielding: Yielding;
}

function createReplicator(config: ChunkserverConfig, ports: ChunkserverPorts, parts: ReplicatorParts): Replicator {
  const { store, node, deltas, leaderAddress, yielding } = parts;
  const onBadSource = createBadSourceReporter({ ...ports, leaderAddress, nodeId: () => node().nodeId });
  const clusterId = (): string => node().clusterId;
  return new Replicator({
    ...{ ...ports, store, clusterId, onBadSource, yielding },
    ...{ listener: deltas, limits: config.replicate },
  });
}

function backgroundReadsOf(
  config: ChunkserverConfig,
  ports: ChunkserverPorts,
  parts: { readonly store: ChunkStore; readonly yielding: Yielding },
): BackgroundReads {
  const { sourceReadsMax, bytesPerSecondMax } = config.replicate;
  return new BackgroundReads({ ...ports, ...parts, readsMax: sourceReadsMax, bytesPerSecondMax });
}

/** How this process introduces itself to masters; its incarnation is new with every start. */
function senderOf(
  config: ChunkserverConfig,
  ports: ChunkserverPorts,
  { listener, identity }: { readonly listener: Listener; readonly identity: NodeIdentity },
): ReportSender {
  const host = ports.hostIdentity();
  const name = [config.name, identity.name].find((each) => each !== "");
  return {
    ...host,
    incarnation: toHex(ports.random.bytes(16)),
    name: name ?? `node-${identity.facts.nodeUuid.slice(0, 8)}`,
    address: config.advertisedAddress === "" ? reachableAddress(listener.address, host.ip) : config.advertisedAddress,
    zone: config.zone,
    rack: config.rack,
    joinCredential: config.joinCredential,
  };
}

/** Puts the store's state where operators see it. */
function showStatus(metrics: Metrics, store: ChunkStore): () => void {
  const gauge = (name: string, help: string): Gauge => metrics.gauge({ name: `holdfast_chunkserver_${name}`, help });
  const chunkCount = gauge("chunks", "Copies in the inventory.");
  const usedBytes = gauge("used_bytes", "Bytes of chunk data.");
  const freeBytes = gauge("free_bytes", "Bytes free for chunk data.");
  const isDiskOk = gauge("disk_ok", "1 while the disk takes new chunks, 0 when it is full or failed.");
  return () => {
    const status = store.status();
    chunkCount.set(status.chunkCount);
    usedBytes.set(status.usedBytes);
    freeBytes.set(status.freeBytes);
    isDiskOk.set(status.diskState === "ok" ? 1 : 0);
  };
}

function listen(
  config: ChunkserverConfig,
  ports: ChunkserverPorts,
  parts: {
    readonly store: ChunkStore;
    readonly node: () => NodeFacts;
    readonly address: string;
    readonly backgroundReads: BackgroundReads;
  },
): Promise<Listener> {
  const data = createChunkDataService({ ...ports, ...parts, forwardLimits: config.forward });
  return ports.network.listen(parts.address, [
    serve(ChunkDataService, data),
    serve(ChunkControlService, createChunkControlService(parts)),
  ]);
}

/** A wildcard is no address for others: the machine's own stands for it. */
function reachableAddress(listenedAddress: string, ip: string): string {
  const { host, port } = splitAddress(listenedAddress);
  if (host !== "0.0.0.0" && host !== "[::]") return listenedAddress;
  return `${ip.includes(":") ? `[${ip}]` : ip}:${port}`;
}

/** A node of masters on this machine alone is for this machine alone; any other must be reachable. */
function listenAddressOf(config: ChunkserverConfig, masterAddresses: readonly string[]): string {
  if (config.listenAddress !== "") return config.listenAddress;
  const isLoopback = (address: string): boolean => /^(127\.|localhost$|\[::1\]$)/.test(splitAddress(address).host);
  return masterAddresses.every(isLoopback) ? "127.0.0.1:0" : "0.0.0.0:0";
}

function splitAddress(address: string): { readonly host: string; readonly port: string } {
  const position = address.lastIndexOf(":");
  return { host: address.slice(0, position), port: address.slice(position + 1) };
}

/** Where the masters are: as told now, else as remembered. */
function mastersOf(config: ChunkserverConfig, identity: NodeIdentity): readonly string[] {
  const masterAddresses = config.masterAddresses.length > 0 ? config.masterAddresses : identity.masterAddresses;
  if (masterAddresses.length > 0) return masterAddresses;
  throw new HoldfastError(
    "precondition",
    `${config.dataDirectory} has not joined a cluster yet, so the masters are not known. Start it once with a join token.`,
  );
}

function readinessOf(reporter: Reporter, store: ChunkStore): { readonly isReady: boolean; readonly reason?: string } {
  if (store.status().diskState === "failed") return { isReady: false, reason: "the disk failed" };
  return reporter.isWelcome ? { isReady: true } : { isReady: false, reason: "no leading master knows this node yet" };
}
