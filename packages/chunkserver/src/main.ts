import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { resolve } from "node:path";
import { decodeJoinToken, HoldfastError, isHoldfastError, type JoinToken } from "@holdfast/base";
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
import { keepBallast } from "@holdfast/runtime";
import type { SettingsOf } from "@holdfast/runtime/node";
import { chunkserverDefaults, scrubPolicyFor, trashRetentionMsByPreset } from "./config.ts";
import type { ChunkserverConfig } from "./config.ts";
import { hostIdentityFrom } from "./host-identity.ts";
import { openEnrolment } from "./node/enrolment.ts";
import type { DirectoryLock } from "./ports.ts";
import { buildChunkserver } from "./server.ts";

const settings = defineSettings({
  name: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "Name shown to people; empty = the one it had before, else one made from its identity.",
  },
  listen: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "host:port to serve on; port 0 takes a free one; empty = loopback when all masters are on it, else everywhere.",
  },
  advertise: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "host:port others reach this node at; empty = the one it listens on.",
  },
  masters: {
    type: "list",
    default: [],
    help: "host:port of every master, with commas; empty = as the join token says or the directory remembers.",
  },
  data: { type: "text", help: "Data directory of this node alone." },
  moreData: {
    type: "list",
    default: [],
    help: "Further directories of this node, one for each further disk, with commas.",
  },
  join: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    isSecret: true,
    help: "Join token of the cluster; needed at the first start only.",
  },
  joinSecretFile: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "File with the cluster's join secret, for nodes beside their masters.",
  },
  authority: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "File with the certificate of the cluster's authority, for nodes beside their masters: everything inside speaks TLS.",
  },
  trustedNetwork: {
    type: "boolean",
    default: false,
    help: "Speak in the clear beyond loopback, because nobody else is on this network.",
  },
  exitOnRefusal: {
    type: "boolean",
    default: false,
    help: "End with the reason when the cluster refuses this node, instead of asking again.",
  },
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
  rack: { type: "text", default: "", isEmptyAllowed: true, help: "Failure domain inside the zone." },
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
  try {
    const store = await openLevelStore(`${dataDirectory}/lock`);
    return { release: () => store.close() };
  } catch (cause) {
    if (!isHoldfastError(cause, "precondition")) throw cause;
    throw new HoldfastError(
      "precondition",
      `${dataDirectory} is in use by another chunkserver. Nothing was changed. Stop that one first, or choose another directory.`,
      { cause },
    );
  }
}

type Joining = Pick<ChunkserverConfig, "masterAddresses" | "expectedClusterId" | "joinCredential"> & {
  readonly token: JoinToken | undefined;
};

/** Which cluster to join, and with what. Errors: invalidArgument (a token that cannot be used), precondition (no such file). */
async function readJoining(values: SettingsOf<typeof settings.table>): Promise<Joining> {
  if (values.join === "") {
    const joinCredential = values.joinSecretFile === "" ? "" : await readSecret(values.joinSecretFile);
    return {
      ...{ masterAddresses: values.masters, expectedClusterId: values.clusterId, joinCredential },
      token: undefined,
    };
  }
  const token = decodeJoinToken(values.join);
  if (!token.ok) throw new HoldfastError("invalidArgument", `${token.error} Nothing was changed.`);
  const { clusterId, masterAddresses, secret } = token.value;
  if (values.clusterId !== "" && values.clusterId !== clusterId) {
    const message = `The join token is for cluster ${clusterId}, not ${values.clusterId}. Nothing was changed.`;
    throw new HoldfastError("wrongCluster", message);
  }
  return {
    masterAddresses: values.masters.length > 0 ? values.masters : masterAddresses,
    expectedClusterId: clusterId,
    joinCredential: secret,
    token: token.value,
  };
}

async function readSecret(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (cause) {
    throw new HoldfastError("precondition", `The join secret ${path} cannot be read. Nothing was changed.`, { cause });
  }
}

/** Only a person can change these. */
const finalKinds = [
  "denied",
  "wrongCluster",
  "precondition",
  "invalidArgument",
  "unauthenticated",
  "nameTaken",
] as const;

/** Whether asking again cannot help. */
function isFinal(error: HoldfastError): boolean {
  return isHoldfastError(error, ...finalKinds);
}

/** What was acknowledged is on disk; nothing else of this process matters to anybody. */
function endRefused(error: HoldfastError): void {
  process.stderr.write(`holdfast-chunkserver was refused by the cluster: ${error.message}\n`);
  process.exit(1);
}

/** Held back on the first disk. */
const ballastBytes = 1 << 20;

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
    // Chunks must not have it: only what a start needs on a full disk.
    const ballast = await keepBallast({
      ...{ ...ports, folder: resolve(values.data), sizeBytes: ballastBytes },
      onChanged: (state) => logger[state === "given" ? "warn" : "info"]("process.ballast", { state }),
    });
    const { token, ...joining } = await readJoining(values);
    const directories = [values.data, ...values.moreData].map((path) => resolve(path));
    const enrolment = await openEnrolment(
      {
        ...{ directories, token, credential: joining.joinCredential },
        ...{ authorityFile: values.authority, clusterId: values.clusterId, masterAddresses: joining.masterAddresses },
      },
      ports,
    );
    const network = createGrpcNetwork({
      ...{ ...ports, isTrustedNetwork: values.trustedNetwork },
      ...(enrolment === undefined ? {} : { security: enrolment.trust }),
    });
    const host = values.listen === "" ? "127.0.0.1" : values.listen.slice(0, values.listen.lastIndexOf(":"));
    const config: ChunkserverConfig = {
      ...chunkserverDefaults,
      ...{ name: values.name, zone: values.zone, rack: values.rack },
      ...{ listenAddress: values.listen, advertisedAddress: values.advertise },
      ...joining,
      dataDirectory: resolve(values.data),
      moreDataDirectories: values.moreData.map((path) => resolve(path)),
      store: {
        ...chunkserverDefaults.store,
        capacityBytesMax: values.capacityBytes === 0 ? undefined : values.capacityBytes,
        trashRetentionMs: trashRetentionMsByPreset[values.preset],
      },
      scrub: scrubPolicyFor(values.scrubPeriodSeconds * 1000),
    };
    const hostIdentity = (): ReturnType<typeof hostIdentityFrom> => hostIdentityFrom(networkInterfaces(), host);
    const onRefused = (error: HoldfastError): void => {
      if (values.exitOnRefusal && isFinal(error)) endRefused(error);
    };
    const chunkserver = await buildChunkserver(config, {
      ...{ ...ports, network, hostIdentity, lockDirectory, onRefused },
      ...(enrolment === undefined ? {} : { enrol: enrolment.enrol, onNodesRefused: enrolment.onNodesRefused }),
    });
    ballast.start();
    const health = await startHealthServer({
      // It speaks in the clear: where nothing else does, it stays on this machine.
      address: `${enrolment === undefined ? host : "127.0.0.1"}:${values.healthPort}`,
      metrics,
      logger,
      readiness: () => chunkserver.readiness(),
    });
    return {
      stop: async () => {
        enrolment?.stop();
        await health.stop();
        await chunkserver.stop();
        await network.close();
        ballast.stop();
      },
    };
  },
});
