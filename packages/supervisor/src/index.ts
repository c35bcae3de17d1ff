export { startCluster } from "./cluster.ts";
export type { ClusterOptions, LocalCluster } from "./cluster.ts";

export { clusterSettings } from "./settings.ts";
export type { ClusterSettings } from "./settings.ts";
