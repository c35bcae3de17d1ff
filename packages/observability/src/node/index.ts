export { createMetrics } from "../memory-metrics.ts";
export { startHealthServer } from "./health-server.ts";
export type { HealthServer, HealthServerOptions, Readiness } from "./health-server.ts";
export { createJsonLogger } from "./json-logger.ts";
export type { JsonLoggerOptions, LogLevel } from "./json-logger.ts";
export { openLogOutput } from "./log-output.ts";
