import { assert } from "./assert.ts";

declare const brand: unique symbol;
/** A primitive that is not interchangeable with others of its shape. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A file or folder; from the log, never reused. */
export type EntryId = Brand<number, "EntryId">;
/** A chunk; from the log, never reused. */
export type ChunkId = Brand<number, "ChunkId">;
/** A version of a file; from the log. */
export type VersionId = Brand<number, "VersionId">;
/** An account; from the log. */
export type UserId = Brand<number, "UserId">;
/** A chunkserver; from the log when it joins. */
export type NodeId = Brand<number, "NodeId">;
/** A grant of chunk ids; from the log. */
export type GrantId = Brand<number, "GrantId">;

/** A wire `uint64` as a safe integer. Bugs and hostile peers are refused by the assertion or checked before by the caller. */
export function safeInteger(wire: bigint | number): number {
  const value = Number(wire);
  assert(Number.isSafeInteger(value) && value >= 0, "a wire integer fits a safe integer");
  return value;
}
