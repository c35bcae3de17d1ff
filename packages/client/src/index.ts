export { planChunkReads } from "./chunk-plan.ts";
export type { ByteRange, ChunkRead } from "./chunk-plan.ts";
export { createFileBytes } from "./file-bytes.ts";
export type { FileBytes, FileBytesOptions } from "./file-bytes.ts";
export type { WrittenBytes } from "./file-writer.ts";
export { createMasterClient } from "./master-client.ts";
export type { CommandCase, CommandOptions, MasterClient, MasterClientOptions } from "./master-client.ts";
export type { RequestScope } from "./request-scope.ts";
