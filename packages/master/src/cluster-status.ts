import { create } from "@bufbuild/protobuf";
import { compareBytes, isHoldfastError } from "@holdfast/base";
import {
  ChunkHealthSchema,
  FileCountsSchema,
  GetClusterStatusResponseSchema,
  GetMasterStatusRequestSchema,
  QueryService,
  RepairStatusSchema,
  type ChunkHealth,
  type GetClusterStatusResponse,
  type RepairStatus,
} from "@holdfast/proto/master/v1/master";
import { MasterSchema, type Master } from "@holdfast/proto/model/v1/model";
import type { RaftNode } from "@holdfast/raft";
import type { Network } from "@holdfast/rpc";
import type { Clock, KeyValueStore } from "@holdfast/runtime";
import type { CopySetSource } from "./application/copy-set-index.ts";
import { readProgress } from "./application/fold-entry.ts";
import type { ReadGate } from "./application/read-gate.ts";
import { pausedReason } from "./controllers/repair/plan.ts";
import type { RepairNumbers } from "./controllers/repair/progress.ts";
import { countHealth } from "./domain/chunks/health.ts";
import { corruptCounter } from "./domain/chunks/tables.ts";
import { readStandings } from "./domain/fleet/standing.ts";
import { listNodes } from "./domain/fleet/tables.ts";
import { nameSortKey } from "./domain/namespace/collation.ts";
import { clusterTable, readHousekeeping, readCounter, usageTable } from "./domain/state.ts";
import { readerOf, type TableReader } from "./domain/tables.ts";
import type { FleetObserver } from "./services/fleet/fleet-observer.ts";
import { notLeader, type Leadership } from "./services/fleet/leadership.ts";
import { nodeToWire } from "./services/fleet/node-to-wire.ts";
import { masterToWire } from "./wire/master.ts";

/** Other masters and the counts of chunks are asked for at most this often. */
const cacheMs = 1000;
/** A master that does not answer within this time is shown as unreachable. */
const peerTimeoutMs = 500;

/** Another master. */
export interface PeerMaster {
  readonly id: number;
  readonly name: string;
  readonly address: string;
}

/** What the status is made of. */
export interface ClusterStatusOptions {
  readonly raft: RaftNode;
  readonly gate: ReadGate;
  readonly leadership: Leadership;
  readonly store: KeyValueStore;
  readonly copySets: CopySetSource;
  readonly observer: FleetObserver;
  readonly network: Network;
  readonly clock: Clock;
  readonly self: PeerMaster;
  readonly peers: readonly PeerMaster[];
  readonly writeCopiesMin: number;
  /** The leader's repair queue. */
  readonly repair: () => RepairNumbers;
}

/** The cluster as the leader sees it. Errors: `notLeader`, `unavailable`, `deadline`, `cancelled`. */
export type ClusterStatus = (signal: AbortSignal) => Promise<GetClusterStatusResponse>;

/** Answers GetClusterStatus. Its cost follows the number of nodes and of copy sets, not that of chunks or files. */
export function createClusterStatus(options: ClusterStatusOptions): ClusterStatus {
  const { clock, store } = options;
  const tables = readerOf(store);
  const peers = cached(clock, () => askPeers(options));
  const chunks = cached(clock, () => countChunks(options.copySets, tables));
  return async (signal) => {
    if (!options.leadership.isReady()) throw notLeader(options.leadership);
    await options.gate.pass({ atLeastIndex: 0, signal });
    const [others, health] = await Promise.all([peers(), chunks()]);
    const cluster = tables.get(clusterTable, []);
    const usage = tables.get(usageTable, [0]);
    return create(GetClusterStatusResponseSchema, {
      masters: [selfAsMaster(options, tables), ...others].toSorted((left, right) => left.masterId - right.masterId),
      nodes: listNodes(tables)
        .toSorted((left, right) => compareBytes(nameSortKey(left.name), nameSortKey(right.name)))
        .map((row) => nodeToWire(row, tables, options.observer)),
      chunks: health,
      files: create(FileCountsSchema, { total: BigInt(usage?.fileCount ?? 0), bytes: BigInt(usage?.bytes ?? 0) }),
      clusterId: cluster?.clusterId ?? "",
      replication: cluster?.replication ?? 0,
      chunkSizeBytes: cluster?.chunkSizeBytes ?? 0,
      index: BigInt(readProgress(tables).appliedIndex),
      repair: repairToWire(options.repair(), readHousekeeping(tables).isRepairPaused),
      writeCopiesMin: Math.min(options.writeCopiesMin, cluster?.replication ?? options.writeCopiesMin),
    });
  };
}

function repairToWire(numbers: RepairNumbers, isPaused: boolean): RepairStatus {
  // The numbers are those of the last look; an order to go on is newer.
  const isOver = numbers.stoppedReason === pausedReason && !isPaused;
  return create(RepairStatusSchema, {
    waitingChunks: BigInt(numbers.waitingChunks),
    activeChunks: BigInt(numbers.activeChunks),
    bytesPerSecond: BigInt(numbers.bytesPerSecond),
    remainingMs: BigInt(numbers.remainingMs),
    stoppedReason: isOver ? "" : numbers.stoppedReason,
  });
}

/** One answer for all who ask within a second; they also share the one under way. */
function cached<T>(clock: Clock, produce: () => Promise<T>): () => Promise<T> {
  let latest: { readonly atMs: number; readonly answer: Promise<T> } | undefined;
  return () => {
    const nowMs = clock.monotonicMs();
    if (latest !== undefined && nowMs - latest.atMs < cacheMs) return latest.answer;
    const answer = produce();
    latest = { atMs: nowMs, answer };
    answer.catch(() => {
      if (latest?.answer === answer) latest = undefined;
    });
    return answer;
  };
}

/** Chunks by state now, in one pass over the copy sets. */
export async function countChunks(copySets: CopySetSource, tables: TableReader): Promise<ChunkHealth> {
  const sets = await copySets.sets();
  const replication = tables.get(clusterTable, [])?.replication ?? 1;
  const counts = countHealth(sets, { replication, isUp: readStandings(tables).counts });
  return create(ChunkHealthSchema, {
    total: BigInt(counts.total),
    healthy: BigInt(counts.healthy),
    under: BigInt(counts.under),
    over: BigInt(counts.over),
    missing: BigInt(counts.missing),
    corrupt: BigInt(readCounter(tables, corruptCounter)),
  });
}

function selfAsMaster({ raft, self }: ClusterStatusOptions, tables: TableReader): Master {
  return masterToWire(raft.status(), { ...self, appliedIndex: readProgress(tables).appliedIndex });
}

function askPeers({ network, peers }: ClusterStatusOptions): Promise<Master[]> {
  return Promise.all(
    peers.map(async (peer) => {
      try {
        const answer = await network
          .client(QueryService, peer.address)
          .getMasterStatus(create(GetMasterStatusRequestSchema), { timeoutMs: peerTimeoutMs });
        return answer.master ?? unreachable(peer);
      } catch (error) {
        if (!isHoldfastError(error)) throw error;
        return unreachable(peer);
      }
    }),
  );
}

function unreachable(peer: PeerMaster): Master {
  return create(MasterSchema, { masterId: peer.id, name: peer.name, role: "unreachable", address: peer.address });
}
