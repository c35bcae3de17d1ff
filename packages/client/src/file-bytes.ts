import type { Logger } from "@holdfast/observability";
import type { GetFileLayoutResponse } from "@holdfast/proto/master/v1/master";
import type { Network } from "@holdfast/rpc";
import type { Clock, Random, Timers } from "@holdfast/runtime";
import type { ByteRange } from "./chunk-plan.ts";
import { ChunkReader } from "./chunk-reader.ts";
import type { ReadLimits } from "./chunk-reader.ts";
import type { SendLimits } from "./chunk-sender.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import { ClusterFactsSource } from "./cluster-facts.ts";
import { readBytes } from "./file-reader.ts";
import { writeBytes } from "./file-writer.ts";
import type { WrittenBytes } from "./file-writer.ts";
import { GrantPool } from "./grant-pool.ts";
import type { MasterClient } from "./master-client.ts";
import { ReplicaChoice } from "./replica-choice.ts";
import type { RequestScope } from "./request-scope.ts";

/** What moving bytes works with. */
export interface FileBytesOptions {
  readonly network: Network;
  readonly masters: MasterClient;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  /** Name of the gateway or program; in grants and reports. */
  readonly owner: string;
  readonly limits?: Partial<SendLimits & ReadLimits>;
}

/** Bytes in and out of the cluster's chunkservers. Memory is bounded per request, and both directions push back. */
export interface FileBytes {
  /**
   * Writes a stream as chunks, each with its minimum of durable copies when this settles. Nothing becomes visible by it;
   * chunks that are not committed are cleaned up when their grant expires.
   * Errors: those of the source, cancelled, noSpace, unavailable, tooBusy.
   */
  write(source: AsyncIterable<Uint8Array>, scope: RequestScope): Promise<WrittenBytes>;
  /** The bytes of a range, verified. Errors: dataLoss, unavailable, cancelled, invalidArgument. */
  read(layout: GetFileLayoutResponse, range: ByteRange, scope: RequestScope): AsyncIterable<Uint8Array>;
}

const defaultLimits: SendLimits & ReadLimits = {
  stallMs: 6000,
  graceMs: 50,
  lingerMs: 20_000,
  hedgeAfterMs: { min: 100, max: 2000 },
  tryTimeoutMs: 30_000,
};

/** Makes the two directions with one grant pool and one view of the nodes' load. */
export function createFileBytes(options: FileBytesOptions): FileBytes {
  const { network, masters, clock, timers, random, logger, owner } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const facts = new ClusterFactsSource(masters);
  const grants = new GrantPool({ masters, clock, random, owner });
  const writer = { facts, chunks: new ChunkWriter({ network, timers, random, logger, grants, limits }) };
  const replicas = new ReplicaChoice(clock);
  const reader = {
    masters,
    timers,
    chunks: new ChunkReader({ network, timers, random, logger, masters, replicas, limits, owner }),
  };
  return {
    write: (source, scope) => writeBytes(writer, source, scope),
    read: (layout, range, scope) => readBytes(reader, layout, range, scope),
  };
}
