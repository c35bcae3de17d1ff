import type { FleetQueryService } from "@holdfast/proto/fleet/v1/fleet";
import type {
  Command,
  ExecuteResponse,
  GetFileLayoutResponse,
  QueryService,
  WatchResponse,
  WrittenChunk,
} from "@holdfast/proto/master/v1/master";
import type { ServiceClient } from "@holdfast/rpc";

/** Follows one request of a person or program through the gateway. */
export interface RequestScope {
  /** Random 32 hex digits; in every log line and error of the request, and the request id of its command. */
  readonly requestId: string;
  /** Aborts when the caller gave up. */
  readonly signal: AbortSignal;
}

/** Who is signed in. Ids stay the wire's `bigint`: the gateway compares them and never calculates with them. */
export interface Caller {
  readonly userId: bigint;
  readonly email: string;
  readonly isAdmin: boolean;
  readonly rootEntryId: bigint;
  /** Of the session that calls; names it without being able to use it. */
  readonly tokenSha256: Uint8Array;
  /** Leader time at which that session ends. */
  readonly expiresAtMs: number;
  /** How long a browser keeps the session's cookie without an answer from here. */
  readonly idleMs: number;
}

/** A command as masters take it. */
export type CommandCase = Exclude<Command["command"], { case: undefined }>;

/** How a command is sent. */
export interface CommandOptions extends RequestScope {
  /** "user:7", "gateway:gateway-1", "setup". */
  readonly actor: string;
}

/**
 * The masters, as the gateway needs them. Implementations follow the leader and retry what is safe to retry (commands
 * are idempotent by request id) for as long as their own deadline allows; then they reject with `unavailable`.
 */
export interface Masters {
  execute(command: CommandCase, options: CommandOptions): Promise<ExecuteResponse>;
  readonly queries: ServiceClient<typeof QueryService>;
  /** About nodes, tasks, drills and what would happen; the leader answers. */
  readonly fleet: ServiceClient<typeof FleetQueryService>;
  /** Changes after an index (exclusive). Ends or throws when its connection breaks; the caller subscribes again. */
  watch(fromIndex: bigint, signal: AbortSignal): AsyncIterable<WatchResponse>;
}

/** What became of bytes that were written. */
export interface WrittenBytes {
  /** In order; each has its minimum of durable copies. */
  readonly chunks: readonly WrittenChunk[];
  readonly sizeBytes: number;
  /** Of all bytes. */
  readonly sha256: Uint8Array;
}

/** A part of a file. */
export interface ByteRange {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** Bytes in and out of the cluster's chunkservers. Implementations bound their memory and push back. */
export interface FileBytes {
  /**
   * Writes a stream as chunks, reading it no faster than the nodes take it. Nothing becomes visible by it. When the
   * signal aborts or the source throws, writing stops and chunks already written are left to their grant's expiry.
   */
  write(source: AsyncIterable<Uint8Array>, scope: RequestScope): Promise<WrittenBytes>;
  /** The bytes of a range, verified. Errors: dataLoss, unavailable. */
  read(layout: GetFileLayoutResponse, range: ByteRange, scope: RequestScope): AsyncIterable<Uint8Array>;
}
