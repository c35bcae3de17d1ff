/** What the whole local cluster is made of; decided before anything is started. */
export interface ClusterShape {
  readonly dataPath: string;
  readonly runPath: string;
  readonly clusterId: string;
  readonly host: string;
  readonly port: number;
  readonly masters: number;
  readonly replication: number;
  readonly chunkSizeBytes: number;
  readonly preset: string;
  readonly pagePath: string;
  /** Lets this machine's nodes in without a token. */
  readonly joinSecretFile: string;
  /** Address of this machine for everything inside the cluster. */
  readonly innerHost: string;
  /** The key and the certificate of the cluster's authority; undefined on loopback, where all is in the clear. */
  readonly authority: { readonly keyFile: string; readonly certificateFile: string } | undefined;
  /** host:port of the supervisor's own service, on loopback. */
  readonly supervisorAddress: string;
  readonly supervisorSecretFile: string;
  /** Ports of the masters by the names of `masterPortNames`. */
  readonly ports: Readonly<Record<string, number>>;
}

/** One process to run, without the machine's paths. */
export interface PlannedProcess {
  readonly name: string;
  readonly package: "master" | "chunkserver" | "gateway";
  readonly parameters: readonly string[];
}

/** Names under which the masters' ports are chosen and remembered: one for gRPC and one for health each. */
export function masterPortNames(masters: number): readonly string[] {
  return masterNames(masters).flatMap(portNamesOf);
}

/** Names under which the ports of one process are chosen and remembered. */
export function portNamesOf(name: string): readonly [grpc: string, health: string] {
  return [name, `${name}-health`];
}

/** The chunkservers that the settings ask for. */
export function plannedNodeNames(chunkservers: number): readonly string[] {
  return Array.from({ length: chunkservers }, (_, index) => `node-${index + 1}`);
}

/** The masters, in starting order. */
export function planMasters(shape: ClusterShape): readonly PlannedProcess[] {
  const names = masterNames(shape.masters);
  const peers = names.map((name, index) => `${index + 1}=${addressOf(shape, shape.ports, name)}`).join(",");
  const authority = shape.authority === undefined ? [] : ["--authority-file", shape.authority.keyFile];
  return names.map((name, index) => ({
    name,
    package: "master",
    parameters: [
      ...["--id", String(index + 1), "--name", name, "--listen", addressOf(shape, shape.ports, name), "--peers", peers],
      ...["--data", `${shape.dataPath}/${name}`, "--health-port", String(shape.ports[`${name}-health`] ?? 0)],
      ...["--replication", String(shape.replication), "--chunk-size-bytes", String(shape.chunkSizeBytes)],
      ...["--join-secret-file", shape.joinSecretFile],
      ...authority,
      ...sharedParameters(shape),
    ],
  }));
}

/** A chunkserver, with its ports by the names of `portNamesOf`. */
export function planNode(shape: ClusterShape, name: string, ports: Readonly<Record<string, number>>): PlannedProcess {
  const parameters = [
    ...["--name", name, "--listen", addressOf(shape, ports, name), "--masters", masterAddresses(shape)],
    ...["--data", `${shape.dataPath}/${name}`, "--health-port", String(ports[`${name}-health`] ?? 0)],
    ...["--join-secret-file", shape.joinSecretFile],
    ...believing(shape),
    ...sharedParameters(shape),
  ];
  return { name, package: "chunkserver", parameters };
}

/** The gateway. */
export function planGateway(shape: ClusterShape): PlannedProcess {
  const parameters = [
    ...["--name", "gateway-1", "--host", shape.host, "--port", String(shape.port), "--masters", masterAddresses(shape)],
    ...["--web-directory", shape.pagePath, "--run-directory", shape.runPath],
    ...["--supervisor", shape.supervisorAddress, "--supervisor-secret-file", shape.supervisorSecretFile],
    ...(shape.authority === undefined ? [] : ["--join-secret-file", shape.joinSecretFile]),
    ...believing(shape),
    ...sharedParameters(shape),
  ];
  return { name: "gateway-1", package: "gateway", parameters };
}

function masterNames(masters: number): readonly string[] {
  return Array.from({ length: masters }, (_, index) => `master-${index + 1}`);
}

function masterAddresses(shape: ClusterShape): string {
  return masterNames(shape.masters)
    .map((name) => addressOf(shape, shape.ports, name))
    .join(",");
}

function addressOf(
  { innerHost }: Pick<ClusterShape, "innerHost">,
  ports: Readonly<Record<string, number>>,
  name: string,
): string {
  return `${innerHost.includes(":") ? `[${innerHost}]` : innerHost}:${ports[name] ?? 0}`;
}

/** Whom those believe that don't have the key. */
function believing({ authority }: ClusterShape): readonly string[] {
  return authority === undefined ? [] : ["--authority", authority.certificateFile];
}

function sharedParameters({ clusterId, preset }: ClusterShape): readonly string[] {
  return ["--cluster-id", clusterId, "--preset", preset];
}
