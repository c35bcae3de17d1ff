import { create } from "@bufbuild/protobuf";
import {
  GetMasterStatusResponseSchema,
  GetStateHashesResponseSchema,
  ListEventsResponseSchema,
  LoggedEventSchema,
  QueryService,
  type GetClusterStatusResponse,
  type GetMasterStatusResponse,
  type ListEventsRequest,
  type ListEventsResponse,
} from "@holdfast/proto/master/v1/master";
import type { RaftNode } from "@holdfast/raft";
import { serve, type CallContext, type ServedService } from "@holdfast/rpc";
import type { Clock, KeyValueStore } from "@holdfast/runtime";
import { readProgress } from "../application/fold-entry.ts";
import type { StateHashes } from "../application/state-hashes.ts";
import {
  getSession,
  getUser,
  listSessions,
  listUsers,
  type AccountRead,
} from "../application/queries/account-queries.ts";
import { getEntry, listFolder, listTrash, resolvePath } from "../application/queries/entry-queries.ts";
import { getFileLayout, getUpload, type RankPlaces } from "../application/queries/file-queries.ts";
import type { ReadGate } from "../application/read-gate.ts";
import { clusterTable } from "../domain/state.ts";
import { readerOf, type TableReader } from "../domain/tables.ts";
import { listBatches } from "../projections/event-log.ts";
import { pageLimit, requestInteger } from "../wire/request.ts";
import { masterToWire } from "../wire/master.ts";

/** What the query service works with. */
export interface QueryServiceOptions {
  readonly raft: RaftNode;
  readonly gate: ReadGate;
  readonly store: KeyValueStore;
  readonly clock: Clock;
  /** What the tables came to. */
  readonly hashes: Pick<StateHashes, "list">;
  /** How this master is called and where it listens. */
  readonly self: { readonly name: string; readonly address: string };
  readonly rankPlaces: RankPlaces;
  /** The cluster as the leader sees it. */
  readonly clusterStatus: (signal: AbortSignal) => Promise<GetClusterStatusResponse>;
}

/** Reads. Each answer is computed in one turn of the event loop, so it shows one instant: that of its index. */
export function createQueryService(options: QueryServiceOptions): ServedService {
  const tables = readerOf(options.store);
  const read = async <T>(request: Read, context: CallContext, answer: (read: AccountRead) => T): Promise<T> => {
    const atLeastIndex = requestInteger(request.atLeastIndex, "at_least_index");
    await options.gate.pass({ atLeastIndex, signal: context.signal });
    const progress = readProgress(tables);
    const nowMs = Math.max(options.clock.wallMs(), progress.atMs);
    return answer({ index: BigInt(progress.appliedIndex), nowMs });
  };
  return serve(QueryService, {
    getEntry: (request, context) => read(request, context, ({ index }) => getEntry(tables, request, index)),
    resolvePath: (request, context) => read(request, context, ({ index }) => resolvePath(tables, request, index)),
    listFolder: (request, context) => read(request, context, ({ index }) => listFolder(tables, request, index)),
    listTrash: (request, context) => read(request, context, ({ index }) => listTrash(tables, request, index)),
    getFileLayout: (request, context) =>
      read(request, context, ({ index }) => getFileLayout(tables, request, { index, rankPlaces: options.rankPlaces })),
    getUpload: (request, context) => read(request, context, (now) => getUpload(tables, request, now)),
    getUser: (request, context) => read(request, context, (now) => getUser(tables, request, now)),
    listUsers: (request, context) => read(request, context, (now) => listUsers(tables, now)),
    getSession: (request, context) => read(request, context, (now) => getSession(tables, request, now)),
    listSessions: (request, context) => read(request, context, (now) => listSessions(tables, request, now)),
    getClusterStatus: (_request, context) => options.clusterStatus(context.signal),
    listEvents: (request, context) => read({ atLeastIndex: 0n }, context, () => listEvents(tables, request)),
    getMasterStatus: async () => masterStatus(options, tables),
    getStateHashes: async () =>
      create(GetStateHashesResponseSchema, {
        hashes: options.hashes.list().map(({ index, stateHash }) => ({ index: BigInt(index), stateHash })),
      }),
  });
}

interface Read {
  readonly atLeastIndex: bigint;
}

function listEvents(tables: TableReader, request: ListEventsRequest): ListEventsResponse {
  const limit = pageLimit(request.limit, { whenZero: 100, max: 1000 });
  const beforeIndex = requestInteger(request.beforeIndex, "before_index");
  const events = [];
  // Batches are never cut: the next page begins before the last index, and nothing of it may be missing.
  for (const batch of listBatches(tables, { beforeIndex, eventsMin: limit })) {
    const { index, atMs, actor } = batch;
    for (const [position, { type, summary }] of [...batch.items.entries()].toReversed()) {
      const drillId = BigInt(batch.drillIds[position] ?? 0);
      events.push(
        create(LoggedEventSchema, { index: BigInt(index), atMs: BigInt(atMs), actor, type, summary, drillId }),
      );
    }
  }
  return create(ListEventsResponseSchema, { events });
}

function masterStatus(options: QueryServiceOptions, tables: TableReader): GetMasterStatusResponse {
  const status = options.raft.status();
  const progress = readProgress(tables);
  return create(GetMasterStatusResponseSchema, {
    master: masterToWire(status, { id: status.id, ...options.self, appliedIndex: progress.appliedIndex }),
    leaderId: status.leader ?? 0,
    isReadyLeader: status.isReadyLeader,
    clusterId: tables.get(clusterTable, [])?.clusterId ?? "",
    stateHash: progress.stateHash,
  });
}
