import type { Logger, Metrics } from "@holdfast/observability";
import type { Clock, KeyValueStore } from "@holdfast/runtime";
import type { Submitter } from "../application/submission.ts";
import type { MasterConfig } from "../config.ts";
import { decideExpireSessions } from "../domain/accounts/decide-sessions.ts";
import { decideFleetExpiry } from "../domain/fleet/decide-expiry.ts";
import { decideRetire } from "../domain/fleet/decide-replacement.ts";
import { decideInitialise } from "../domain/initialise.ts";
import { decideContinuePurge } from "../domain/namespace/decide-trash.ts";
import { clusterTable } from "../domain/state.ts";
import { readerOf } from "../domain/tables.ts";
import { decideExpireUploads } from "../domain/uploads/decide.ts";
import type { FleetObserver } from "../services/fleet/fleet-observer.ts";
import type { Controller } from "./controller.ts";
import type { FleetProgressBoard } from "./fleet-progress.ts";
import { createDamagedController } from "./damaged/controller.ts";
import { createGarbageController } from "./garbage/controller.ts";
import { createGauges } from "./gauges.ts";
import { createLivenessController } from "./liveness/controller.ts";
import { createRemovedController } from "./removed/controller.ts";
import { createRepairController, type RepairControllerOptions } from "./repair/controller.ts";
import type { Preset } from "./presets.ts";
import { createStepController } from "./step-controller.ts";

/** Events of one batch of housekeeping. */
const batchEventsMax = 200;

/** Drills, maintenance and join tokens end by themselves within this time. */
const fleetExpiryIntervalMs = 500;

/** Replaced nodes that nothing depends on any more are removed within this time. */
const retirementIntervalMs = 1000;

/** What all controllers together work with. */
export interface ControllersOptions extends Pick<
  RepairControllerOptions,
  "copySets" | "leadership" | "progress" | "sendOrder"
> {
  readonly config: Pick<MasterConfig, "clusterId" | "chunkSizeBytes" | "replication">;
  readonly preset: Preset;
  readonly store: KeyValueStore;
  readonly submitter: Submitter;
  readonly observer: FleetObserver;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Where draining and balancing leave their numbers. */
  readonly fleetProgress: FleetProgressBoard;
}

/** Everything that the leader does on its own. */
export function createControllers(options: ControllersOptions): readonly Controller[] {
  const { preset, store, copySets, submitter, observer, clock, logger, metrics } = options;
  const eventsMax = batchEventsMax;
  const steps = { store, submitter, clock };
  return [
    createInitialiser(options),
    createGauges({ store, copySets, observer, metrics }),
    createLivenessController({ store, submitter, observer, clock, logger }),
    createRepairController({ ...options, preset }),
    createGarbageController({ ...steps, intervalMs: preset.garbageIntervalMs }),
    createDamagedController({ ...steps, intervalMs: preset.garbageIntervalMs }),
    createRemovedController({ ...steps, intervalMs: preset.garbageIntervalMs }),
    createStepController({
      ...steps,
      name: "replacement",
      intervalMs: retirementIntervalMs,
      decide: decideRetire,
    }),
    createStepController({
      ...steps,
      name: "purge",
      intervalMs: preset.purgeIntervalMs,
      decide: (tables) => decideContinuePurge(tables, eventsMax),
    }),
    createStepController({
      ...steps,
      name: "upload-expiry",
      intervalMs: preset.expiryIntervalMs,
      decide: (tables, atMs) => decideExpireUploads(tables, { atMs, eventsMax }),
    }),
    createStepController({
      ...steps,
      name: "fleet-expiry",
      intervalMs: fleetExpiryIntervalMs,
      decide: decideFleetExpiry,
    }),
    createStepController({
      ...steps,
      name: "session-expiry",
      intervalMs: preset.expiryIntervalMs,
      decide: (tables, atMs) => decideExpireSessions(tables, { atMs, eventsMax }),
    }),
  ];
}

/** The first event of the log, by whoever leads first; afterwards it does nothing. */
function createInitialiser({ config, store, submitter, logger }: ControllersOptions): Controller {
  return {
    name: "setup",
    intervalMs: 1000,
    step: async () => {
      const cluster = readerOf(store).get(clusterTable, []);
      if (cluster !== undefined) return;
      const { clusterId, chunkSizeBytes, replication } = config;
      logger.info("master.initialising", { clusterId, chunkSizeBytes, replication });
      await submitter.submit({
        actor: "setup",
        decide: (tables) => decideInitialise(tables, { clusterId, chunkSizeBytes, replication }),
      });
    },
  };
}
