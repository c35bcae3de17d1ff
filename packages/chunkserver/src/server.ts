import { HoldfastError, toHex } from "@holdfast/base";
import { ChunkControlService, ChunkDataService } from "@holdfast/proto/chunk/v1/chunk";
import { serve } from "@holdfast/rpc";
import type { Listener } from "@holdfast/rpc";
import type { ChunkserverConfig } from "./config.ts";
import { DeltaLog } from "./heartbeat/delta-log.ts";
import { Reporter } from "./heartbeat/reporter.ts";
import { openHighestTerm } from "./identity/highest-term.ts";
import { openNodeIdentity } from "./identity/node-identity.ts";
import type { NodeFacts, NodeIdentity } from "./identity/node-identity.ts";
import type { ChunkserverPorts } from "./ports.ts";
import { Scrubber } from "./scrub/scrubber.ts";
import { createChunkControlService } from "./services/chunk-control-service.ts";
import { createChunkDataService } from "./services/chunk-data-service.ts";
import type { StoreStatus } from "./store/chunk-store.ts";
import { openFileChunkStore } from "./store/file-chunk-store.ts";
import type { FileChunkStore } from "./store/file-chunk-store.ts";

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
  ports: ChunkserverPorts,
  { onStop, stop }: Lifetime,
): Promise<Chunkserver> {
  const { disk, clock, random, logger, network, timers } = ports;
  const { dataDirectory } = config;
  await disk.makeDirectory(dataDirectory);
  const lock = await ports.lockDirectory?.(dataDirectory);
  if (lock !== undefined) onStop(() => lock.release());

  const identity = await openNodeIdentity({ disk, random, dataDirectory, expectedClusterId: config.expectedClusterId });
  const node = (): NodeFacts => identity.facts;
  const term = await openHighestTerm(disk, dataDirectory);
  const deltas = new DeltaLog();
  const clusterId = (): string => node().clusterId;
  const store = await openFileChunkStore({
    disk,
    clock,
    timers,
    random,
    logger,
    dataDirectory,
    clusterId,
    listener: deltas,
    limits: config.store,
  });
  onStop(() => store.close());
  assertOwnChunks(identity, store);

  const listener = await listen(config, ports, { store, node });
  onStop(() => listener.close(config.stopGraceMs));
  const sender = {
    ...ports.hostIdentity(),
    incarnation: toHex(random.bytes(16)),
    name: config.name,
    address: config.advertisedAddress === "" ? listener.address : config.advertisedAddress,
    zone: config.zone,
  };
  const { masterAddresses, reporter: intervals } = config;
  const reporter = new Reporter({
    network,
    timers,
    random,
    logger,
    masterAddresses,
    store,
    identity,
    term,
    deltas,
    sender,
    intervals,
  });
  reporter.start();
  onStop(() => reporter.stop());
  const scrubber = new Scrubber({ ...ports, dataDirectory, store, policy: config.scrub });
  scrubber.start();
  onStop(() => scrubber.stop());

  const status = store.status();
  logger.info("chunkserver.started", {
    address: listener.address,
    chunkCount: status.chunkCount,
    usedBytes: status.usedBytes,
  });
  return {
    address: listener.address,
    node,
    status: () => store.status(),
    readiness: () => readinessOf(reporter, store),
    stop,
  };
}

function listen(
  config: ChunkserverConfig,
  ports: ChunkserverPorts,
  parts: { readonly store: FileChunkStore; readonly node: () => NodeFacts },
): Promise<Listener> {
  const data = createChunkDataService({ ...ports, ...parts, forwardLimits: config.forward });
  return ports.network.listen(config.listenAddress, [
    serve(ChunkDataService, data),
    serve(ChunkControlService, createChunkControlService(parts)),
  ]);
}

/** Chunks without an identity: serving them under a new one would make every copy of them a stranger's. */
function assertOwnChunks(identity: NodeIdentity, store: FileChunkStore): void {
  if (!identity.isNew || store.status().chunkCount === 0) return;
  throw new HoldfastError(
    "precondition",
    "The data directory holds chunks but had no node.json. Nothing was changed. Restore node.json, or start with an empty directory.",
  );
}

function readinessOf(
  reporter: Reporter,
  store: FileChunkStore,
): { readonly isReady: boolean; readonly reason?: string } {
  if (store.status().diskState === "failed") return { isReady: false, reason: "the disk failed" };
  return reporter.isWelcome ? { isReady: true } : { isReady: false, reason: "no leading master knows this node yet" };
}
