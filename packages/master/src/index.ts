export { configFromSettings, masterSettings } from "./config.ts";
export type { MasterConfig, MasterPeer } from "./config.ts";
export { presets } from "./controllers/presets.ts";
export type { Preset, PresetName } from "./controllers/presets.ts";
export { buildMaster } from "./server.ts";
export type { Master, MasterPorts, MasterReadiness } from "./server.ts";
