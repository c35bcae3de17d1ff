export { silentLogger } from "./logger.ts";
export type { LogFields, Logger } from "./logger.ts";
export { createMetrics } from "./memory-metrics.ts";
export type { Counter, Gauge, Histogram, MetricDescription, Metrics } from "./metrics.ts";
export { createRecordingLogger } from "./recording-logger.ts";
export type { LogRecord, RecordingLogger } from "./recording-logger.ts";
