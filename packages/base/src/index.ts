export { assert, AssertionError, exhaustive, must } from "./assert.ts";
export { AsyncQueue } from "./async-queue.ts";
export { compareBytes, concatBytes, equalBytes, fromHex, toHex } from "./bytes.ts";
export { errorKinds, HoldfastError, isHoldfastError } from "./errors.ts";
export type { ErrorKind, HoldfastErrorDetail } from "./errors.ts";
export { safeInteger } from "./ids.ts";
export type { Brand, ChunkId, EntryId, GrantId, NodeId, UserId, VersionId } from "./ids.ts";
export { ok, refused } from "./result.ts";
export type { Result } from "./result.ts";
