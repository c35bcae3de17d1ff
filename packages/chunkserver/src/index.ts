export { chunkserverDefaults, trashRetentionMsByPreset } from "./config.ts";
export type { ChunkserverConfig } from "./config.ts";
export type { ChunkserverPorts, DirectoryLock, HostIdentity } from "./ports.ts";
export { buildChunkserver } from "./server.ts";
export type { Chunkserver } from "./server.ts";
