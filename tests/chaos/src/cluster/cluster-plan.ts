import path from "node:path";
import type { Endpoint, ProcessPlan } from "./cluster-driver.ts";

/** The account that exists from the start. */
export const chaosUser = { email: "chaos@example.org", password: "correct horse battery" } as const;

/** How large a cluster is, and what is said to all of it. */
export interface ClusterShape {
  readonly masters: number;
  readonly nodes: number;
  readonly gateways: number;
  readonly replication: number;
  readonly chunkSizeBytes: number;
  readonly clusterId: string;
  /** Each process has a folder of its name there; `run` holds logs and clocks. */
  readonly basePath: string;
  /** Defects to plant, by name; none in a real run. */
  readonly planted: readonly string[];
}

/** "master-1" ... in starting order. */
export function processNames(shape: Pick<ClusterShape, "masters" | "nodes" | "gateways">): readonly string[] {
  const numbered = (word: string, count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => `${word}-${index + 1}`);
  return [
    ...numbered("master", shape.masters),
    ...numbered("node", shape.nodes),
    ...numbered("gateway", shape.gateways),
  ];
}

export function roleOf(name: string): "master" | "node" | "gateway" {
  if (name.startsWith("master-")) return "master";
  return name.startsWith("node-") ? "node" : "gateway";
}

export function clockFileOf(shape: ClusterShape, name: string): string {
  return path.join(shape.basePath, "run", `${name}.clock`);
}

/** Lets the chunkservers in. */
export function joinSecretFileOf(shape: ClusterShape): string {
  return path.join(shape.basePath, "run", "join.secret");
}

/** As the supervisor does for `npm start`: bytes outside V8's heap count in its limit. */
const bulkNodeFlags = ["--external-memory-accounted-in-global-limit", "--initial-heap-size=256"];

/** How one process is started, given where all of them are. */
export function planProcess(shape: ClusterShape, name: string, endpointOf: (name: string) => Endpoint): ProcessPlan {
  const role = roleOf(name);
  const script = { master: "master", node: "chunkserver", gateway: "gateway" }[role];
  const preload = ["--import", "./tests/chaos/src/cluster/preload.ts"];
  const parameters = { master: masterParameters, node: nodeParameters, gateway: gatewayParameters }[role];
  const dataPath = path.join(shape.basePath, name);
  const runPath = path.join(shape.basePath, "run");
  return {
    name,
    command: [
      ...(role === "master" ? [] : bulkNodeFlags),
      ...preload,
      `packages/${script}/src/main.ts`,
      ...parameters(shape, name, endpointOf),
      // The network is the harness's own: faults are easier to see in the clear.
      ...["--cluster-id", shape.clusterId, "--preset", "demo", "--trusted-network"],
    ],
    environment: {
      CHAOS_CLOCK_FILE: clockFileOf(shape, name),
      ...(shape.planted.length === 0 ? {} : { CHAOS_PLANTED: shape.planted.join(",") }),
      ...(role === "node" ? { UV_THREADPOOL_SIZE: "8" } : {}),
      ...(role === "gateway"
        ? { DFS_DEFAULT_USER_EMAIL: chaosUser.email, DFS_DEFAULT_USER_PASSWORD: chaosUser.password }
        : {}),
    },
    folders: role === "gateway" ? [runPath] : [runPath, dataPath],
    logPath: path.join(runPath, `${name}.log`),
  };
}

type Endpoints = (name: string) => Endpoint;

function addressesOfMasters(shape: ClusterShape, endpointOf: Endpoints): readonly string[] {
  const names = processNames({ ...shape, nodes: 0, gateways: 0 });
  return names.map((name) => `${endpointOf(name).host}:${endpointOf(name).port}`);
}

function masterParameters(shape: ClusterShape, name: string, endpointOf: Endpoints): readonly string[] {
  const { host, port, healthPort } = endpointOf(name);
  const peers = addressesOfMasters(shape, endpointOf).map((address, index) => `${index + 1}=${address}`);
  return [
    ...["--id", name.slice("master-".length), "--name", name, "--listen", `${host}:${port}`],
    ...["--peers", peers.join(","), "--data", path.join(shape.basePath, name)],
    ...["--health-host", host, "--health-port", String(healthPort), "--join-secret-file", joinSecretFileOf(shape)],
    ...["--replication", String(shape.replication), "--chunk-size-bytes", String(shape.chunkSizeBytes)],
  ];
}

function nodeParameters(shape: ClusterShape, name: string, endpointOf: Endpoints): readonly string[] {
  const { host, port, healthPort } = endpointOf(name);
  return [
    ...["--name", name, "--listen", `${host}:${port}`, "--masters", addressesOfMasters(shape, endpointOf).join(",")],
    ...["--data", path.join(shape.basePath, name), "--health-port", String(healthPort)],
    ...["--join-secret-file", joinSecretFileOf(shape)],
    // Damage must be found within the run, also where nobody reads.
    ...["--scrub-period-seconds", "20"],
  ];
}

function gatewayParameters(shape: ClusterShape, name: string, endpointOf: Endpoints): readonly string[] {
  const { host, port } = endpointOf(name);
  return [
    ...["--name", name, "--host", host, "--port", String(port)],
    ...["--masters", addressesOfMasters(shape, endpointOf).join(",")],
  ];
}
