import type { Logger, Metrics } from "@holdfast/observability";
import { openRaftNode, type RaftNode } from "@holdfast/raft";
import type { Listener, Network } from "@holdfast/rpc";
import type { Clock, Disk, KeyValueStore, Random, Timers } from "@holdfast/runtime";
import { CopySetIndex } from "./application/copy-set-index.ts";
import { CachedStore } from "./application/cached-store.ts";
import { CommandHandler } from "./application/command-handler.ts";
import { readProgress } from "./application/fold-entry.ts";
import { LogClock } from "./application/log-clock.ts";
import { ProjectionsStore } from "./application/projections-store.ts";
import { ReadGate } from "./application/read-gate.ts";
import type { AppliedListener } from "./application/submission.ts";
import { NodeDigests } from "./application/node-digests.ts";
import { StateHashes } from "./application/state-hashes.ts";
import { ProjectionsStateMachine } from "./application/state-machine.ts";
import { StateAuditor } from "./audit/state-auditor.ts";
import { createClusterStatus } from "./cluster-status.ts";
import type { MasterConfig } from "./config.ts";
import { ControllerRunner } from "./controllers/controller.ts";
import { createControllers } from "./controllers/create-controllers.ts";
import { FleetProgressBoard } from "./controllers/fleet-progress.ts";
import { presets, type Preset } from "./controllers/presets.ts";
import { RepairProgress } from "./controllers/repair/progress.ts";
import { clusterTable } from "./domain/state.ts";
import { readerOf } from "./domain/tables.ts";
import { feedApplied } from "./feed-applied.ts";
import { DiskGuard } from "./disk-guard.ts";
import { chunkLedgerProjection } from "./projections/chunk-ledger.ts";
import { eventLogProjection } from "./projections/event-log.ts";
import { ChangeFeed } from "./projections/change-feed.ts";
import { createCommandService } from "./services/command-service.ts";
import type { HistoryKeeper } from "./history/history-keeper.ts";
import { keepHistory } from "./history/keep-history.ts";
import { createFleetQueryService } from "./services/fleet-query-service.ts";
import { createFleet, type Fleet } from "./services/fleet-service.ts";
import { FleetObserver } from "./services/fleet/fleet-observer.ts";
import { createJoinGate } from "./services/fleet/join-gate.ts";
import { leadershipOf } from "./services/fleet/leadership.ts";
import { createPlaceRanker } from "./services/fleet/rank-places.ts";
import { createJoinService, type CertificateIssuer } from "./services/join-service.ts";
import { createQueryService } from "./services/query-service.ts";
import { createWatchService } from "./services/watch-service.ts";

/** What a master needs from its process. */
export interface MasterPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly disk: Disk;
  readonly network: Network;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Opens (or makes) an ordered store in a folder. Errors: `precondition` when another process holds it, `diskFailed`. */
  readonly openStore: (path: string) => Promise<KeyValueStore>;
  /** Where the cluster speaks TLS: makes certificates, and is told whose count no longer. */
  readonly certificates?: {
    readonly issuer: CertificateIssuer;
    readonly refuseNodes: (reasons: ReadonlyMap<string, string>) => void;
  };
}

/** Whether a master can do its work. */
export interface MasterReadiness {
  readonly isReady: boolean;
  /** In words, when not. */
  readonly reason?: string;
}

/** A running master. */
export interface Master {
  /** host:port it listens on. */
  readonly address: string;
  /** A leader is known, the log is nearly applied, and the cluster was initialised. */
  readiness(): MasterReadiness;
  /** Its Raft node and projections, for checkers and metrics; not for changing anything. */
  readonly raft: Pick<RaftNode, "status" | "subscribe">;
  /** Hash over everything folded and the index it belongs to, to compare masters at equal index. */
  foldedState(): { readonly index: number; readonly stateHash: Uint8Array };
  /** Calls back with every batch as this process folds it, for checkers; returns how to stop. */
  onApplied(listener: AppliedListener): () => void;
  /** Takes no more calls, ends streams, stops Raft, closes the store. Idempotent. */
  stop(): Promise<void>;
}

/** Entries that may be committed and not applied while a master still counts as ready. */
const applyLagMax = 10_000;

/**
 * Starts one master: opens its log and projections, serves, and takes part in Raft. Becoming leader, losing leadership
 * and recovering need nobody. Errors: `wrongCluster` or `precondition` (foreign or used data folder, taken port),
 * `dataLoss`, `diskFailed`, `noSpace`.
 */
export async function buildMaster(config: MasterConfig, ports: MasterPorts): Promise<Master> {
  const logger = ports.logger.child({ master: config.name });
  await ports.disk.makeDirectory(config.data);
  const { disk, openStore } = ports;
  const projections = await ProjectionsStore.open({ disk, openStore, data: config.data });
  const copySets = new CopySetIndex();
  const store: CachedStore = new CachedStore(projections, {
    timers: ports.timers,
    onWrite: (batch) => {
      copySets.note(batch);
      digests.note(batch);
    },
  });
  const digests = new NodeDigests(store);
  copySets.readFrom(store);
  const hashes = new StateHashes();
  const replacing = {
    begin: () => projections.replace(),
    forget: () => {
      store.forget();
      copySets.forget();
      digests.forget();
      hashes.forget();
    },
  };
  const stateMachine = new ProjectionsStateMachine({
    ...{ store, logger, replacing, hashes },
    projections: [eventLogProjection, chunkLedgerProjection],
  });
  try {
    return await startMaster(config, { ...ports, logger }, { store, copySets, digests, hashes, stateMachine });
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function startMaster(
  config: MasterConfig,
  ports: MasterPorts,
  state: Pick<Core, "store" | "copySets" | "digests" | "hashes" | "stateMachine">,
): Promise<Master> {
  const { store, stateMachine } = state;
  const raft = await openRaftNode(raftConfigOf(config), ports, stateMachine);
  const parts = assemble({ config, ports, ...state, raft });
  let listener: Listener;
  try {
    listener = await ports.network.listen(config.listen, [...raft.services, ...parts.services]);
  } catch (error) {
    await raft.stop();
    throw error;
  }
  const unsubscribe = followLeadership(raft, parts);
  await parts.guard.start();
  raft.start();
  parts.history.start();
  parts.auditor.start();
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    unsubscribe();
    parts.controllers.stop();
    parts.fleet.endLeadership();
    parts.feed.close();
    parts.guard.stop();
    await parts.history.stop();
    await parts.auditor.stop();
    await raft.stop();
    await listener.close(stopGraceMs);
    await parts.controllers.settled();
    await store.close();
  };
  return {
    address: listener.address,
    raft,
    foldedState: () => stateMachine.foldedState(),
    onApplied: (listener) => stateMachine.onApplied(listener),
    readiness: () => readinessOf(raft, store, parts),
    stop: () => (stopping ??= stop()),
  };
}

/** Free bytes of the data folder's disk below which callers' changes are refused. */
const diskReserveBytesDefault = 256 << 20;

/** How long open calls may take to end when the master stops. */
const stopGraceMs = 500;

function raftConfigOf(config: MasterConfig): Parameters<typeof openRaftNode>[0] {
  type RaftConfig = Parameters<typeof openRaftNode>[0];
  return {
    clusterId: config.clusterId,
    // Peer ids are branded by Raft; the settings table proved that they are 1 to 255.
    id: config.id as RaftConfig["id"],
    peers: config.peers as RaftConfig["peers"],
    directory: `${config.data}/raft`,
    ...(config.raft === undefined ? {} : { settings: config.raft }),
  };
}

interface Core {
  readonly config: MasterConfig;
  readonly ports: MasterPorts;
  readonly store: KeyValueStore;
  readonly copySets: CopySetIndex;
  readonly digests: NodeDigests;
  readonly hashes: StateHashes;
  readonly stateMachine: ProjectionsStateMachine;
  readonly raft: RaftNode;
}

interface Parts {
  readonly services: Parameters<Network["listen"]>[1];
  readonly controllers: ControllerRunner;
  readonly fleet: Fleet;
  readonly feed: ChangeFeed;
  readonly observer: FleetObserver;
  readonly guard: DiskGuard;
  readonly history: HistoryKeeper;
  readonly auditor: StateAuditor;
  /** Why Raft gave this node up (its disk failed, or it set itself aside); it takes part in nothing any more. */
  readonly health: { diskFailure?: string };
  readonly logger: Logger;
}

/** Wires the pieces; nothing runs yet. */
function assemble(core: Core): Parts {
  const { config, ports, store, copySets, digests, hashes, stateMachine, raft } = core;
  const { timers, logger, metrics } = ports;
  const tables = readerOf(store);
  const clock = new LogClock(ports.clock, readProgress(tables).atMs);
  stateMachine.onApplied(({ atMs }) => clock.note(atMs));
  stateMachine.onReplaced(() => clock.note(readProgress(tables).atMs));
  const preset: Preset = { ...presets[config.preset], ...config.presetChanges };
  const leadership = leadershipOf(raft);
  const observer = new FleetObserver(clock, preset);
  const observedNodes = (): ReturnType<FleetObserver["observedNodes"]> => observer.observedNodes();
  const writeCopiesMin = config.writeCopiesMin ?? 2;
  const isVoid = (index: number): boolean => stateMachine.isVoid(index);
  const submitter = new CommandHandler({ raft, store, isVoid, clock, metrics, observedNodes, writeCopiesMin });
  const gate = new ReadGate(raft);
  const joinGate = createJoinGate(config.joinSecret);
  const fleet = createFleet({ store, digests, submitter, observer, leadership, joinGate, clock, timers, logger });
  const feed = new ChangeFeed(stateMachine.appliedIndex());
  const refuseNodes = (reasons: ReadonlyMap<string, string>): void => ports.certificates?.refuseNodes(reasons);
  feedApplied({ stateMachine, store, metrics, feed, fleet, observer, leadership, refuseNodes });
  const progress = new RepairProgress();
  const fleetProgress = new FleetProgressBoard();
  const controllers = createControllers({
    ...{ config, preset, store, copySets, submitter, observer, leadership },
    ...{ clock, logger, metrics, progress, fleetProgress },
    sendOrder: (nodeId, order) => fleet.order(nodeId, order),
  });
  const history = keepHistory({ ...ports, store, copySets, stateMachine, leadership, observer, progress });
  const reserveBytes = config.diskReserveBytes ?? diskReserveBytesDefault;
  const guard = new DiskGuard({ disk: ports.disk, timers, logger, path: config.data, reserveBytes });
  const services = [
    createCommandService(guard.guard(submitter), store),
    queryService(core, { gate, clock, leadership, observer, progress, writeCopiesMin }),
    createFleetQueryService({
      ...{ store, copySets, gate, leadership, observer, clock, writeCopiesMin, preset, presetName: config.preset },
      progress: fleetProgress,
      copyBytesPerSecond: () => progress.copyBytesPerSecond(),
      pause: () => timers.sleep(0),
      history,
    }),
    createWatchService(feed),
    fleet.service,
    createJoinService({
      ...{ clusterId: config.clusterId, issuer: ports.certificates?.issuer },
      ...{ store, leadership, joinGate, clock, logger },
    }),
  ];
  return {
    services,
    controllers: new ControllerRunner({ controllers, timers, logger }),
    fleet,
    feed,
    observer,
    guard,
    history,
    auditor: new StateAuditor({ hashes, raft, network: ports.network, clock: ports.clock, timers, logger, metrics }),
    health: {},
    logger,
  };
}

interface QueryParts {
  readonly gate: ReadGate;
  readonly clock: LogClock;
  readonly leadership: ReturnType<typeof leadershipOf>;
  readonly observer: FleetObserver;
  readonly progress: RepairProgress;
  readonly writeCopiesMin: number;
}

function queryService(core: Core, parts: QueryParts): ReturnType<typeof createQueryService> {
  const { config, ports, store, copySets, hashes, raft } = core;
  const { gate, clock, leadership, observer, progress, writeCopiesMin } = parts;
  return createQueryService({
    ...{ raft, gate, store, clock, hashes },
    self: { name: config.name, address: addressOf(config) },
    rankPlaces: createPlaceRanker(() => observer.observedNodes()),
    clusterStatus: createClusterStatus({
      ...statusNames(config),
      ...{ raft, gate, leadership, store, copySets, observer, clock, writeCopiesMin },
      network: ports.network,
      repair: () => progress.get(),
    }),
  });
}

/** Starts and stops what only a leader does. */
function followLeadership(raft: RaftNode, { controllers, fleet, observer, health, logger }: Parts): () => void {
  let isLeading = false;
  return raft.subscribe((event) => {
    if (event.kind === "diskFailed") {
      health.diskFailure = event.message;
      logger.error("master.disk_failed", { message: event.message });
    }
    if (event.kind === "readyToLead") {
      logger.info("master.leading", { term: event.term });
      isLeading = true;
      observer.restart();
      controllers.start();
    }
    if (event.kind === "roleChanged" && event.role !== "leader" && isLeading) {
      logger.info("master.not_leading", { term: event.term, role: event.role });
      isLeading = false;
      controllers.stop();
      fleet.endLeadership();
    }
  });
}

function readinessOf(raft: RaftNode, store: KeyValueStore, { guard, health }: Parts): MasterReadiness {
  if (health.diskFailure !== undefined)
    return { isReady: false, reason: `this master takes part no more: ${health.diskFailure}` };
  if (guard.isLow()) return { isReady: false, reason: "the disk is nearly full; changes are refused" };
  const status = raft.status();
  if (status.leader === undefined) return { isReady: false, reason: "no leader is known" };
  const behind = status.commitIndex - status.appliedIndex;
  if (behind > applyLagMax) return { isReady: false, reason: `${behind} committed entries are not applied yet` };
  if (readerOf(store).get(clusterTable, []) === undefined)
    return { isReady: false, reason: "the cluster is not initialised yet" };
  return { isReady: true };
}

function addressOf(config: MasterConfig): string {
  return config.peers.find((peer) => peer.id === config.id)?.address ?? config.listen;
}

function statusNames(config: MasterConfig): Pick<Parameters<typeof createClusterStatus>[0], "self" | "peers"> {
  const named = config.peers.map(({ id, address }) => ({
    id,
    address,
    name: id === config.id ? config.name : `master-${id}`,
  }));
  const self = named.find((peer) => peer.id === config.id) ?? {
    id: config.id,
    name: config.name,
    address: config.listen,
  };
  return { self, peers: named.filter((peer) => peer.id !== config.id) };
}
