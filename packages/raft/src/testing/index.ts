export { ClusterChecker } from "./checker.ts";
export { TestCluster } from "./cluster.ts";
export type { TestClusterOptions } from "./cluster.ts";
export { runRandomly } from "./random-run.ts";
export type { RandomRunOptions, RandomRunResult } from "./random-run.ts";
export { seededRandom } from "./seeded-random.ts";
export { bootFrom, TestNode } from "./test-node.ts";
export type { TestDisk } from "./test-node.ts";
