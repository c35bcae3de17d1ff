import type { Logger, Metrics } from "@holdfast/observability";
import type { ServedService } from "@holdfast/rpc";
import type { Clock, KeyValueStore, Timers } from "@holdfast/runtime";
import { CachedStore } from "../../application/cached-store.ts";
import { CommandHandler } from "../../application/command-handler.ts";
import { NodeDigests } from "../../application/node-digests.ts";
import { CopySetIndex } from "../../application/copy-set-index.ts";
import { ProjectionsStateMachine } from "../../application/state-machine.ts";
import { countChunks } from "../../cluster-status.ts";
import { ControllerRunner } from "../../controllers/controller.ts";
import { createControllers } from "../../controllers/create-controllers.ts";
import { FleetProgressBoard } from "../../controllers/fleet-progress.ts";
import type { Preset } from "../../controllers/presets.ts";
import { RepairProgress } from "../../controllers/repair/progress.ts";
import { readerOf } from "../../domain/tables.ts";
import { chunkLedgerProjection } from "../../projections/chunk-ledger.ts";
import { eventLogProjection } from "../../projections/event-log.ts";
import { createFleet } from "../../services/fleet-service.ts";
import { FleetObserver } from "../../services/fleet/fleet-observer.ts";
import { createJoinGate } from "../../services/fleet/join-gate.ts";
import { MemoryRaft } from "../memory-raft.ts";
import { scaleChunkBytes } from "./fill-store.ts";

/** What the leader runs on. */
export interface ScaleLeaderPorts {
  readonly store: KeyValueStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly preset: Preset;
}

/** A leader's side of a fleet: everything but the log on disk and other masters. */
export interface ScaleLeader {
  /** Heartbeats come here. */
  readonly service: ServedService;
  /** Controllers begin. */
  start(): void;
  stop(): Promise<void>;
  /** What the cluster is doing. */
  numbers(): Promise<ScaleNumbers>;
}

/** A look at the cluster. */
export interface ScaleNumbers {
  readonly live: number;
  readonly healthy: number;
  readonly under: number;
  readonly repairing: number;
  readonly waiting: number;
  readonly moving: number;
  readonly plannedMoves: number;
}

/** Assembles a leader on a filled store; its log is kept in memory and every proposal is committed at once. */
export function createScaleLeader(ports: ScaleLeaderPorts): ScaleLeader {
  const { clock, timers, logger, metrics, preset } = ports;
  const copySets = new CopySetIndex();
  const store: CachedStore = new CachedStore(ports.store, {
    timers,
    onWrite: (batch) => {
      copySets.note(batch);
      digests.note(batch);
    },
  });
  const digests = new NodeDigests(store);
  copySets.readFrom(store);
  const projections = [eventLogProjection, chunkLedgerProjection];
  const stateMachine = new ProjectionsStateMachine({ store, logger, projections });
  const raft = new MemoryRaft(stateMachine);
  const observer = new FleetObserver(clock, preset);
  const submitter = new CommandHandler({
    ...{ raft, store, clock, metrics, writeCopiesMin: 2 },
    isVoid: (index) => stateMachine.isVoid(index),
    observedNodes: () => observer.observedNodes(),
  });
  const leadership = { isReady: () => true, term: () => 1, leaderAddress: () => "" };
  const fleet = createFleet({
    ...{ store, digests, submitter, observer, leadership, joinGate: createJoinGate(undefined), clock, timers, logger },
  });
  stateMachine.onApplied((batch) => fleet.onApplied(batch));
  const progress = new RepairProgress();
  const fleetProgress = new FleetProgressBoard();
  const controllers = new ControllerRunner({
    controllers: createControllers({
      config: { clusterId: "c".repeat(32), chunkSizeBytes: scaleChunkBytes, replication: 3 },
      ...{ preset, store, copySets, submitter, observer, leadership, clock, logger, metrics, progress, fleetProgress },
      sendOrder: (nodeId, order) => fleet.order(nodeId, order),
    }),
    ...{ timers, logger },
  });
  return {
    service: fleet.service,
    start: () => {
      observer.restart();
      controllers.start();
    },
    stop: async () => {
      controllers.stop();
      fleet.endLeadership();
      await controllers.settled();
      await store.close();
    },
    numbers: async () => {
      const chunks = await countChunks(copySets, readerOf(store));
      const { activeChunks, waitingChunks } = progress.get();
      const live = [...observer.observedNodes().values()].filter((node) => node.liveness === "live").length;
      const { activeMoves, plannedMoves } = fleetProgress.balance();
      return {
        ...{ live, healthy: Number(chunks.healthy), under: Number(chunks.under) },
        ...{ repairing: activeChunks, waiting: waitingChunks },
        ...{ moving: Number(activeMoves), plannedMoves: Number(plannedMoves) },
      };
    },
  };
}
