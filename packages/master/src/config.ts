import { HoldfastError } from "@holdfast/base";
import type { RaftSettings } from "@holdfast/raft";
import type { SettingsOf } from "@holdfast/runtime/node";
import { changePreset, faultsOfPreset, presetSettings } from "./controllers/preset-settings.ts";
import { presets, type Preset, type PresetName } from "./controllers/presets.ts";

/** Rows of the settings of the master process; `main.ts` alone reads them. */
export const masterSettings = {
  id: {
    type: "integer",
    unit: "number",
    min: 1,
    max: 255,
    help: "Which of the masters this is; never used again for another one.",
  },
  name: { type: "text", help: 'Name shown to people, such as "master-1".' },
  listen: { type: "text", help: "host:port for gRPC; the other masters, gateways and chunkservers come here." },
  peers: { type: "list", help: "All masters, this one included: 1=host:port,2=host:port,3=host:port." },
  data: { type: "text", help: "Folder for the log and its projections; nothing else may write there." },
  clusterId: { type: "text", help: "32 hex digits, the same for everything in the cluster." },
  replication: {
    type: "integer",
    unit: "copies",
    min: 1,
    max: 9,
    default: 3,
    help: "Copies of a chunk. Fixed when the cluster begins.",
  },
  chunkSizeBytes: {
    type: "integer",
    unit: "bytes",
    min: 1 << 20,
    max: 64 << 20,
    default: 4 << 20,
    help: "Bytes of a full chunk. Fixed when the cluster begins.",
  },
  writeCopiesMin: {
    type: "integer",
    unit: "copies",
    min: 1,
    max: 9,
    default: 2,
    help: "Copies that must be durable before a write is acknowledged.",
  },
  preset: {
    type: "choice",
    choices: ["demo", "production"],
    default: "production",
    help: "Times and rates of the cluster's housekeeping.",
  },
  ...presetSettings,
  diskReserveBytes: {
    type: "integer",
    unit: "bytes",
    min: 0,
    max: 1 << 30,
    default: 256 << 20,
    help: "Changes are refused while less is free on the data folder's disk (or less than 5 % of a small disk).",
  },
  ballastBytes: {
    type: "integer",
    unit: "bytes",
    min: 0,
    max: 1 << 30,
    default: 4 << 20,
    help: "Held back on the data folder's disk (at most 2 % of it) and given away when the disk is full, so that the master goes on.",
  },
  joinSecretFile: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "File with the cluster's join secret (at least 32 characters), for nodes beside their masters; the same at every master.",
  },
  joinSecret: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    isSecret: true,
    help: "The cluster's join secret itself, for the environment; without either only join tokens let nodes in.",
  },
  authorityFile: {
    type: "text",
    default: "",
    isEmptyAllowed: true,
    help: "File with the key of the cluster's authority, the same at every master: everything inside speaks TLS.",
  },
  trustedNetwork: {
    type: "boolean",
    default: false,
    help: "Speak in the clear beyond loopback, because nobody else is on this network.",
  },
  healthHost: { type: "text", default: "127.0.0.1", help: "Address of the health port." },
  healthPort: {
    type: "integer",
    unit: "port",
    min: 0,
    max: 65_535,
    default: 0,
    help: "HTTP port of /healthz, /readyz and /metrics; 0 = any free one.",
  },
  logLevel: {
    type: "choice",
    choices: ["debug", "info", "warn", "error"],
    default: "info",
    help: "Log lines below this level are dropped.",
  },
  pidFile: { type: "text", default: "", isEmptyAllowed: true, help: "File to write the process id to." },
} as const;

/** A master and where the others reach it. */
export interface MasterPeer {
  readonly id: number;
  /** host:port. */
  readonly address: string;
}

/** What `buildMaster` is told. */
export interface MasterConfig {
  readonly id: number;
  readonly name: string;
  /** host:port. */
  readonly listen: string;
  /** All masters, this one included. */
  readonly peers: readonly MasterPeer[];
  /** Absolute path. */
  readonly data: string;
  /** 32 hex digits. */
  readonly clusterId: string;
  readonly replication: number;
  readonly chunkSizeBytes: number;
  /** Default 2, never more than `replication`. */
  readonly writeCopiesMin?: number;
  readonly preset: PresetName;
  /** Free bytes below which callers' changes are refused. Default 256 MiB. */
  readonly diskReserveBytes?: number;
  /**
   * What lets any node in, besides join tokens: at least 32 characters; empty = only join tokens do. Undefined lets every
   * node in: for tests and the simulator; the process never does.
   */
  readonly joinSecret?: string;
  /** What differs from the preset. */
  readonly presetChanges?: Partial<Preset>;
  /** What differs from Raft's defaults. */
  readonly raft?: Partial<RaftSettings>;
}

/** A shorter one could be guessed. */
const joinSecretLengthMin = 32;

/** The configuration in a process's settings. Errors: `invalidArgument` with all faults in words. */
export function configFromSettings(
  values: SettingsOf<typeof masterSettings>,
  { absolutePath, joinSecret }: { readonly absolutePath: (path: string) => string; readonly joinSecret: string },
): MasterConfig {
  const faults: string[] = [];
  const peers = values.peers.map((text) => parsePeer(text, faults)).filter((peer) => peer !== undefined);
  if (new Set(peers.map((peer) => peer.id)).size !== peers.length) faults.push("--peers names an id twice");
  if (!peers.some((peer) => peer.id === values.id)) faults.push(`--peers does not name this master (${values.id})`);
  if (peers.length % 2 === 0) faults.push("--peers should be an odd number of masters: 1, 3 or 5");
  if (!/^[0-9a-f]{32}$/.test(values.clusterId)) faults.push("--cluster-id is 32 lower-case hex digits");
  if (!isAddress(values.listen)) faults.push("--listen is host:port");
  if (joinSecret !== "" && joinSecret.length < joinSecretLengthMin)
    faults.push(`the join secret has at least ${joinSecretLengthMin} characters`);
  const presetChanges = changePreset(presets[values.preset], values);
  faults.push(...faultsOfPreset(presetChanges));
  if (faults.length > 0) throw new HoldfastError("invalidArgument", `Settings are wrong: ${faults.join("; ")}.`);
  const { id, name, listen, clusterId, replication, chunkSizeBytes, writeCopiesMin, preset, diskReserveBytes } = values;
  return {
    id,
    name,
    listen,
    peers,
    data: absolutePath(values.data),
    clusterId,
    replication,
    chunkSizeBytes,
    writeCopiesMin,
    preset,
    presetChanges,
    diskReserveBytes,
    joinSecret,
  };
}

function parsePeer(text: string, faults: string[]): MasterPeer | undefined {
  const [, id = "", address = ""] = /^(\d{1,3})=(.+)$/.exec(text) ?? [];
  if (id !== "" && Number(id) >= 1 && Number(id) <= 255 && isAddress(address)) return { id: Number(id), address };
  faults.push(`--peers: "${text}" is not id=host:port`);
  return undefined;
}

function isAddress(text: string): boolean {
  const port = Number(/^.+:(\d{1,5})$/.exec(text)?.[1] ?? Number.NaN);
  return port >= 0 && port <= 65_535;
}
