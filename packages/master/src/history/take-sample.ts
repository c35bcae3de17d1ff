import { create } from "@bufbuild/protobuf";
import {
  HistorySampleSchema,
  NodeSampleSchema,
  type HistorySample,
  type NodeSample,
} from "@holdfast/proto/fleet/v1/fleet";
import type { Clock, KeyValueStore } from "@holdfast/runtime";
import type { CopySetSource } from "../application/copy-set-index.ts";
import { readProgress } from "../application/fold-entry.ts";
import { countChunks } from "../cluster-status.ts";
import type { RepairProgress } from "../controllers/repair/progress.ts";
import { listNodes, type NodeRow } from "../domain/fleet/tables.ts";
import { readerOf } from "../domain/tables.ts";
import type { FleetObserver } from "../services/fleet/fleet-observer.ts";
import { wireLiveness } from "../services/fleet/node-to-wire.ts";

/** What a sample is made of. */
export interface SampleOptions {
  readonly store: KeyValueStore;
  readonly copySets: CopySetSource;
  readonly observer: FleetObserver;
  readonly progress: RepairProgress;
  readonly clock: Clock;
  /** Commands a second since it was asked last. */
  readonly commandsPerSecond: () => number;
}

/** The cluster at this moment, as the leader sees it. Cost: the number of nodes and copy sets. */
export async function takeSample(options: SampleOptions): Promise<HistorySample> {
  const { store, copySets, observer, progress, clock, commandsPerSecond } = options;
  const tables = readerOf(store);
  const chunks = await countChunks(copySets, tables);
  const rows = listNodes(tables);
  const repair = progress.get();
  const nodes = rows.map((row) => sampleNode(row, observer));
  const atMs = Math.max(Math.floor(clock.wallMs()), readProgress(tables).atMs);
  return create(HistorySampleSchema, {
    atMs: BigInt(atMs),
    chunksHealthy: chunks.healthy,
    chunksUnder: chunks.under,
    chunksOver: chunks.over,
    chunksMissing: chunks.missing,
    repairWaiting: BigInt(repair.waitingChunks),
    repairActive: BigInt(repair.activeChunks),
    copyBytesPerSecond: BigInt(progress.copyBytesPerSecond()),
    nodesLive: rows.filter((row) => observer.livenessOf(row) === "live").length,
    nodesTotal: rows.length,
    usedBytes: nodes.reduce((sum, node) => sum + node.usedBytes, 0n),
    capacityBytes: BigInt(rows.reduce((sum, row) => sum + row.capacityBytes, 0)),
    commandsPerSecond: Math.round(commandsPerSecond()),
    nodes,
  });
}

function sampleNode(row: NodeRow, observer: FleetObserver): NodeSample {
  const last = observer.lastReport(row.nodeId);
  const latency = last?.details?.latency;
  return create(NodeSampleSchema, {
    nodeId: row.nodeId,
    usedBytes: BigInt(last?.load?.usedBytes ?? 0),
    chunkCount: BigInt(last?.load?.chunkCount ?? 0),
    writeBytesPerSecond: BigInt(latency?.writeBytesPerSecond ?? 0),
    readBytesPerSecond: BigInt(latency?.readBytesPerSecond ?? 0),
    writeP95TenthMs: latency?.writeP95TenthMs ?? 0,
    readP95TenthMs: latency?.readP95TenthMs ?? 0,
    liveness: wireLiveness[observer.livenessOf(row)],
  });
}
