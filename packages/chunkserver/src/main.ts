import { networkInterfaces } from "node:os";
import { resolve } from "node:path";
import { createJsonLogger, createMetrics, startHealthServer } from "@holdfast/observability/node";
import { createGrpcNetwork } from "@holdfast/rpc/node";
import {
  createNodeClock,
  createNodeDisk,
  createNodeRandom,
  createNodeTimers,
  defineSettings,
  openLevelStore,
  runMain,
} from "@holdfast/runtime/node";
import { chunkserverDefaults, scrubPolicyFor, trashRetentionMsByPreset } from "./config.ts";
import type { ChunkserverConfig } from "./config.ts";
import { hostIdentityFrom } from "./host-identity.ts";
import type { DirectoryLock } from "./ports.ts";
import { buildChunkserver } from "./server.ts";

const settings = defineSettings({
  name: { type: "text", default: "node-1", help: "Name shown to people." },
  listen: { type: "text", default: "127.0.0.1:0", help: "host:port to serve on; port 0 takes a free one." },
  advertise: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "host:port others reach this node at; empty = the one it listens on.",
  },
  masters: { type: "list", help: "host:port of every master, with commas." },
  data: { type: "text", help: "Data directory of this node alone." },
  healthPort: {
    type: "integer",
    unit: "port",
    default: 0,
    min: 0,
    max: 65_535,
    help: "Port of /healthz, /readyz and /metrics; 0 takes a free one.",
  },
  clusterId: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "Refuse any other cluster; empty = whichever welcomes it first.",
  },
  zone: { type: "text", default: "", isEmptyAllowed: true, help: "Failure domain." },
  preset: {
    type: "choice",
    choices: ["demo", "production"],
    default: "demo",
    help: "demo keeps trimmed copies 10 minutes, production a day.",
  },
  capacityBytes: {
    type: "integer",
    unit: "bytes",
    default: 0,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    help: "Bytes chunk files may use; 0 = what the file system has.",
  },
  scrubPeriodSeconds: {
    type: "integer",
    unit: "seconds",
    default: chunkserverDefaults.scrub.periodMs / 1000,
    min: 10,
    max: 365 * 24 * 3600,
    help: "Every copy is read and checked once in this time.",
  },
  logLevel: {
    type: "choice",
    choices: ["debug", "info", "warn", "error"],
    default: "info",
    help: "Lines below are dropped.",
  },
});

/** LevelDB holds an operating system's lock on its folder for as long as the process lives: exactly what is needed here. */
async function lockDirectory(dataDirectory: string): Promise<DirectoryLock> {
  const store = await openLevelStore(`${dataDirectory}/lock`);
  return { release: () => store.close() };
}

const clock = createNodeClock();

await runMain({
  name: "holdfast-chunkserver",
  settings,
  createLogger: (values) =>
    createJsonLogger({ clock, levelMin: values.logLevel, fields: { role: "chunkserver", node: values.name } }),
  start: async (values, logger) => {
    const metrics = createMetrics();
    const ports = {
      clock,
      metrics,
      logger,
      timers: createNodeTimers(),
      random: createNodeRandom(),
      disk: createNodeDisk(),
    };
    const network = createGrpcNetwork(ports);
    const host = values.listen.slice(0, values.listen.lastIndexOf(":"));
    const config: ChunkserverConfig = {
      ...chunkserverDefaults,
      ...{ name: values.name, zone: values.zone, listenAddress: values.listen, advertisedAddress: values.advertise },
      masterAddresses: values.masters,
      dataDirectory: resolve(values.data),
      expectedClusterId: values.clusterId,
      store: {
        ...chunkserverDefaults.store,
        capacityBytesMax: values.capacityBytes === 0 ? undefined : values.capacityBytes,
        trashRetentionMs: trashRetentionMsByPreset[values.preset],
      },
      scrub: scrubPolicyFor(values.scrubPeriodSeconds * 1000),
    };
    const hostIdentity = (): ReturnType<typeof hostIdentityFrom> => hostIdentityFrom(networkInterfaces(), host);
    const chunkserver = await buildChunkserver(config, { ...ports, network, hostIdentity, lockDirectory });
    const health = await startHealthServer({
      address: `${host}:${values.healthPort}`,
      metrics,
      logger,
      readiness: () => chunkserver.readiness(),
    });
    return {
      stop: async () => {
        await health.stop();
        await chunkserver.stop();
        await network.close();
      },
    };
  },
});
