export { startCluster } from "./cluster.ts";
export type { ClusterOptions, LocalCluster } from "./cluster.ts";
export { planCluster, portNames } from "./plan.ts";
export type { ClusterShape, PlannedProcess } from "./plan.ts";
export { clusterSettings } from "./settings.ts";
export type { ClusterSettings } from "./settings.ts";
