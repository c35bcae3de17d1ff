export { CommandLine } from "./command-line.ts";
export type { CommandResult } from "./command-line.ts";
export { signIn } from "./edge-client.ts";
export type { EdgeClient, PutOptions } from "./edge-client.ts";
export { freePort, runSupervisor, startLocalCluster, testUser } from "./local-cluster.ts";
export type { LocalCluster, LocalClusterOptions, StartedSupervisor } from "./local-cluster.ts";
export { readMetric } from "./read-metric.ts";
export { waitFor } from "./wait-for.ts";
