import { create } from "@bufbuild/protobuf";
import { encodeBucketDigests } from "@holdfast/base";
import {
  HeartbeatRequestSchema,
  HeldChunkSchema,
  LatencyReportSchema,
  ListedBucketSchema,
} from "@holdfast/proto/master/v1/master";
import type { HeartbeatRequest, HeldChunk as WireHeldChunk, LatencyReport } from "@holdfast/proto/master/v1/master";
import { DiskSchema } from "@holdfast/proto/model/v1/model";
import type { Disk } from "@holdfast/proto/model/v1/model";
import type { NodeFacts } from "../identity/node-identity.ts";
import type { LatencySummary } from "../measure/latency-meter.ts";
import type { DiskStatus, HeldChunk, StoreStatus } from "../store/chunk-store.ts";
import type { Deltas } from "./delta-log.ts";

/** What does not change while the process lives. */
export interface ReportSender {
  /** Random per start. */
  readonly incarnation: string;
  readonly name: string;
  /** host:port where it serves. */
  readonly address: string;
  readonly ip: string;
  readonly mac: string;
  readonly zone: string;
  readonly rack: string;
  /** What lets a node in that does not belong yet; sent only until it does. */
  readonly joinCredential: string;
}

/** What one report says. */
export interface ReportFacts {
  readonly sender: ReportSender;
  readonly node: NodeFacts;
  readonly sequence: number;
  readonly term: number;
  readonly status: StoreStatus;
  readonly deltas: Deltas;
  readonly latency: LatencySummary;
  /** Copies being fetched. */
  readonly activeFetchCount: number;
  /** Drills that run. */
  readonly drillIds: readonly number[];
  /** All 256, or none when it is not their turn. */
  readonly digests: readonly number[];
  readonly listed: readonly { readonly bucket: number; readonly chunks: readonly HeldChunk[] }[];
}

/** One report as masters read it. */
export function reportToWire(facts: ReportFacts): HeartbeatRequest {
  const { sender, node, status, deltas } = facts;
  const { incarnation, name, address, ip, mac, zone, rack, joinCredential } = sender;
  return create(HeartbeatRequestSchema, {
    nodeUuid: node.nodeUuid,
    clusterId: node.clusterId,
    ...{ incarnation, name, address, ip, mac, zone, rack },
    joinCredential: node.nodeId === 0 ? joinCredential : "",
    sequence: BigInt(facts.sequence),
    term: BigInt(facts.term),
    capacityBytes: BigInt(status.capacityBytes),
    usedBytes: BigInt(status.usedBytes),
    freeBytes: BigInt(status.freeBytes),
    chunkCount: BigInt(status.chunkCount),
    diskState: status.diskState,
    activeWriteCount: status.activeWriteCount,
    activeReadCount: status.activeReadCount,
    bucketDigests: facts.digests.length === 0 ? new Uint8Array() : encodeBucketDigests(facts.digests),
    added: deltas.added.map(heldChunkToWire),
    stillHeld: deltas.stillHeld.map(heldChunkToWire),
    trimmed: deltas.trimmed.map(heldChunkToWire),
    corrupt: deltas.corrupt.map(heldChunkToWire),
    latency: latencyToWire(facts.latency),
    activeFetchCount: facts.activeFetchCount,
    drillIds: facts.drillIds.map((drillId) => BigInt(drillId)),
    disks: status.disks.map(diskToWire),
    listed: facts.listed.map(({ bucket, chunks }) =>
      create(ListedBucketSchema, { bucket, chunks: chunks.map(heldChunkToWire) }),
    ),
  });
}

function heldChunkToWire(chunk: HeldChunk): WireHeldChunk {
  return create(HeldChunkSchema, {
    chunkId: BigInt(chunk.chunkId),
    generation: chunk.generation,
    lengthBytes: chunk.lengthBytes,
  });
}

function diskToWire({ path, state, capacityBytes, usedBytes }: DiskStatus): Disk {
  return create(DiskSchema, { path, state, capacityBytes: BigInt(capacityBytes), usedBytes: BigInt(usedBytes) });
}

function latencyToWire(latency: LatencySummary): LatencyReport {
  const tenths = (ms: number): number => Math.min(Math.round(ms * 10), 2 ** 32 - 1);
  return create(LatencyReportSchema, {
    writeP50TenthMs: tenths(latency.writeP50Ms),
    writeP95TenthMs: tenths(latency.writeP95Ms),
    readP50TenthMs: tenths(latency.readP50Ms),
    readP95TenthMs: tenths(latency.readP95Ms),
    writeBytesPerSecond: BigInt(latency.writeBytesPerSecond),
    readBytesPerSecond: BigInt(latency.readBytesPerSecond),
  });
}
