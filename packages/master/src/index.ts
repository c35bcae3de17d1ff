export type { AppliedBatch } from "./application/submission.ts";
export { configFromSettings, masterSettings } from "./config.ts";
export type { MasterConfig, MasterPeer } from "./config.ts";
export { presets } from "./controllers/presets.ts";
export type { Preset, PresetName } from "./controllers/presets.ts";
export type { DomainEvent } from "./domain/events.ts";
export { buildMaster } from "./server.ts";
export type { Master, MasterPorts, MasterReadiness } from "./server.ts";
