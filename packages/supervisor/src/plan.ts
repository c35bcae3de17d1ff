/** What the whole local cluster is made of; decided before anything is started. */
export interface ClusterShape {
  readonly dataPath: string;
  readonly runPath: string;
  readonly clusterId: string;
  readonly host: string;
  readonly port: number;
  readonly masters: number;
  readonly chunkservers: number;
  readonly replication: number;
  readonly chunkSizeBytes: number;
  readonly preset: string;
  readonly pagePath: string;
  /** Inner ports by the names of `portNames`. */
  readonly ports: Readonly<Record<string, number>>;
}

/** One process to run, without the machine's paths. */
export interface PlannedProcess {
  readonly name: string;
  readonly package: "master" | "chunkserver" | "gateway";
  readonly parameters: readonly string[];
}

/** Names under which ports are chosen and remembered: one for gRPC and one for health each, in starting order. */
export function portNames(masters: number, chunkservers: number): readonly string[] {
  const names: string[] = [];
  for (let id = 1; id <= masters; id++) names.push(`master-${id}`, `master-${id}-health`);
  for (let id = 1; id <= chunkservers; id++) names.push(`node-${id}`, `node-${id}-health`);
  return names;
}

/** The processes of a local cluster in starting order: masters, chunkservers, gateway. They stop in reverse. */
export function planCluster(shape: ClusterShape): readonly PlannedProcess[] {
  const address = (name: string): string => `127.0.0.1:${shape.ports[name] ?? 0}`;
  const masterNames = Array.from({ length: shape.masters }, (_, index) => `master-${index + 1}`);
  const masterAddresses = masterNames.map(address).join(",");
  const peers = masterNames.map((name, index) => `${index + 1}=${address(name)}`).join(",");
  const shared = ["--cluster-id", shape.clusterId, "--preset", shape.preset];
  const processes: PlannedProcess[] = masterNames.map((name, index) => ({
    name,
    package: "master",
    parameters: [
      ...["--id", String(index + 1), "--name", name, "--listen", address(name), "--peers", peers],
      ...["--data", `${shape.dataPath}/${name}`, "--health-port", String(shape.ports[`${name}-health`] ?? 0)],
      ...["--replication", String(shape.replication), "--chunk-size-bytes", String(shape.chunkSizeBytes)],
      ...shared,
    ],
  }));
  for (let id = 1; id <= shape.chunkservers; id++) {
    const name = `node-${id}`;
    processes.push({
      name,
      package: "chunkserver",
      parameters: [
        ...["--name", name, "--listen", address(name), "--masters", masterAddresses],
        ...["--data", `${shape.dataPath}/${name}`, "--health-port", String(shape.ports[`${name}-health`] ?? 0)],
        ...shared,
      ],
    });
  }
  processes.push({
    name: "gateway-1",
    package: "gateway",
    parameters: [
      ...["--name", "gateway-1", "--host", shape.host, "--port", String(shape.port), "--masters", masterAddresses],
      ...["--web-directory", shape.pagePath, "--run-directory", shape.runPath],
      ...shared,
    ],
  });
  return processes;
}
