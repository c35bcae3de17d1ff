export { silentLogger } from "./logger.ts";
export type { LogFields, Logger } from "./logger.ts";
export type { Counter, Gauge, Histogram, MetricDescription, Metrics } from "./metrics.ts";
