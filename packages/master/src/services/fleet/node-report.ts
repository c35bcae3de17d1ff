import { decodeBucketDigests, HoldfastError } from "@holdfast/base";
import type { HeartbeatRequest, HeldChunk, LatencyReport } from "@holdfast/proto/master/v1/master";
import type { HeldCopy } from "../../domain/chunks/decide-replicas.ts";
import { inventoryBucketCount } from "../../domain/chunks/tables.ts";
import type { NodeIntroduction } from "../../domain/fleet/decide.ts";

/** A node's report in plain types, with numbers that were checked. */
export interface NodeReport {
  readonly introduction: NodeIntroduction;
  /** What it shows to be let in; empty when it belongs already. */
  readonly joinCredential: string;
  readonly incarnation: string;
  readonly sequence: number;
  /** Highest term the node has seen. */
  readonly term: number;
  readonly load: NodeLoad;
  readonly details: NodeDetails;
  /** Drills that run on it, by its own word. */
  readonly drillIds: readonly number[];
  /** Of all buckets in their order; empty when it is not their turn. */
  readonly digests: readonly number[];
  readonly added: readonly HeldCopy[];
  /** Told as added on an earlier stream; not verified since. */
  readonly stillHeld: readonly HeldCopy[];
  readonly trimmed: readonly HeldCopy[];
  readonly corrupt: readonly HeldCopy[];
  readonly listed: readonly { readonly bucket: number; readonly copies: readonly HeldCopy[] }[];
}

/** What changes all the time and is not worth an event. */
export interface NodeLoad {
  readonly usedBytes: number;
  readonly freeBytes: number;
  readonly capacityBytes: number;
  readonly chunkCount: number;
  readonly diskState: "ok" | "full" | "failed";
  readonly activeWriteCount: number;
  readonly activeReadCount: number;
}

/** What is shown and judged, and placed by only indirectly. */
export interface NodeDetails {
  readonly disks: readonly NodeDisk[];
  readonly latency: NodeLatency;
  /** Chunks it is fetching. */
  readonly activeFetchCount: number;
}

/** A disk as its node tells of it. */
export interface NodeDisk {
  readonly path: string;
  readonly state: "ok" | "full" | "failed";
  readonly capacityBytes: number;
  readonly usedBytes: number;
}

/** Of the last ten seconds; zero where nothing happened. */
export interface NodeLatency {
  readonly writeP50TenthMs: number;
  readonly writeP95TenthMs: number;
  readonly readP50TenthMs: number;
  readonly readP95TenthMs: number;
  readonly writeBytesPerSecond: number;
  readonly readBytesPerSecond: number;
}

/** Disks of one node that are shown. */
const disksMax = 64;
const diskPathLengthMax = 256;

/** Errors: `invalidArgument` for numbers that no honest node sends. */
export function reportFromWire(request: HeartbeatRequest): NodeReport {
  const { nodeUuid, clusterId, name, address, ip, mac, zone, rack, incarnation } = request;
  const capacityBytes = numberOf(request.capacityBytes, "capacity");
  return {
    introduction: { nodeUuid, clusterId, name, address, ip, mac, zone, rack, capacityBytes },
    joinCredential: credentialOf(request.joinCredential),
    incarnation,
    sequence: numberOf(request.sequence, "sequence"),
    term: numberOf(request.term, "term"),
    load: {
      usedBytes: numberOf(request.usedBytes, "used bytes"),
      freeBytes: numberOf(request.freeBytes, "free bytes"),
      capacityBytes,
      chunkCount: numberOf(request.chunkCount, "chunk count"),
      diskState: diskStateOf(request.diskState),
      activeWriteCount: request.activeWriteCount,
      activeReadCount: request.activeReadCount,
    },
    details: {
      disks: request.disks.slice(0, disksMax).map(({ path, state, capacityBytes: capacity, usedBytes }) => ({
        path: path.slice(0, diskPathLengthMax),
        state: diskStateOf(state),
        capacityBytes: numberOf(capacity, "capacity"),
        usedBytes: numberOf(usedBytes, "used bytes"),
      })),
      latency: latencyOf(request.latency),
      activeFetchCount: request.activeFetchCount,
    },
    drillIds: request.drillIds.map((drillId) => numberOf(drillId, "drill id")),
    digests: digestsFromWire(request.bucketDigests),
    added: request.added.map(copyFromWire),
    stillHeld: request.stillHeld.map(copyFromWire),
    trimmed: request.trimmed.map(copyFromWire),
    corrupt: request.corrupt.map(copyFromWire),
    listed: request.listed.map(({ bucket, chunks }) => ({
      bucket: bucketOf(bucket),
      copies: chunks.map(copyFromWire),
    })),
  };
}

function latencyOf(latency: LatencyReport | undefined): NodeLatency {
  return {
    writeP50TenthMs: latency?.writeP50TenthMs ?? 0,
    writeP95TenthMs: latency?.writeP95TenthMs ?? 0,
    readP50TenthMs: latency?.readP50TenthMs ?? 0,
    readP95TenthMs: latency?.readP95TenthMs ?? 0,
    writeBytesPerSecond: numberOf(latency?.writeBytesPerSecond ?? 0n, "write rate"),
    readBytesPerSecond: numberOf(latency?.readBytesPerSecond ?? 0n, "read rate"),
  };
}

/** Longer ones are not hashed: nobody issues them. */
const credentialLengthMax = 4096;

function credentialOf(credential: string): string {
  if (credential.length <= credentialLengthMax) return credential;
  throw new HoldfastError("invalidArgument", "A node's join credential is too long.");
}

function copyFromWire(chunk: HeldChunk): HeldCopy {
  return { chunkId: numberOf(chunk.chunkId, "chunk id"), generation: chunk.generation, lengthBytes: chunk.lengthBytes };
}

function numberOf(wire: bigint, what: string): number {
  if (wire > BigInt(Number.MAX_SAFE_INTEGER))
    throw new HoldfastError("invalidArgument", `A node's report has an impossible ${what}.`);
  return Number(wire);
}

function digestsFromWire(bytes: Uint8Array): readonly number[] {
  const digests = bytes.length === 0 ? [] : decodeBucketDigests(bytes);
  if (digests !== undefined) return digests;
  throw new HoldfastError("invalidArgument", `A node's report has ${bytes.length} bytes of inventory digests.`);
}

function bucketOf(bucket: number): number {
  if (bucket >= inventoryBucketCount)
    throw new HoldfastError("invalidArgument", `There is no inventory bucket ${bucket}.`);
  return bucket;
}

/** An unknown word counts as failed: no new copies go there. */
function diskStateOf(word: string): NodeLoad["diskState"] {
  return word === "ok" || word === "full" ? word : "failed";
}
