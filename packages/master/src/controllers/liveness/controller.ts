import { ok } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { Clock, KeyValueStore } from "@holdfast/runtime";
import type { Submitter } from "../../application/submission.ts";
import { decideNodesDown, decideNodesUp } from "../../domain/fleet/decide.ts";
import { listNodes } from "../../domain/fleet/tables.ts";
import { readerOf } from "../../domain/tables.ts";
import type { FleetObserver } from "../../services/fleet/fleet-observer.ts";
import type { Controller } from "../controller.ts";
import { planLiveness } from "./plan.ts";

/** How often the leader looks. */
const lookIntervalMs = 500;
/** A look that comes so late means that this process itself stood still, and heartbeats may be waiting unread. */
const lateLookMs = 2000;

/** What the controller works with. */
export interface LivenessControllerOptions {
  readonly store: KeyValueStore;
  readonly submitter: Submitter;
  readonly observer: FleetObserver;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Commits NodeDown and NodeUp where what is observed has come to differ from what is committed. */
export function createLivenessController(options: LivenessControllerOptions): Controller {
  const { store, submitter, observer, clock, logger } = options;
  let lastLookMs: number | undefined;
  return {
    name: "liveness",
    intervalMs: lookIntervalMs,
    step: async () => {
      const nowMs = clock.monotonicMs();
      if (lastLookMs !== undefined && nowMs - lastLookMs > lateLookMs) {
        logger.warn("liveness.late_look", { lateMs: Math.round(nowMs - lastLookMs - lookIntervalMs) });
        observer.forgive();
      }
      lastLookMs = nowMs;
      const plan = planLiveness(observer.view(listNodes(readerOf(store))));
      if (plan.down.length === 0 && plan.up.length === 0) return;
      for (const { nodeId, reason } of plan.down) logger.warn("liveness.node_down", { nodeId, reason });
      for (const nodeId of plan.up) logger.info("liveness.node_up", { nodeId });
      await submitter.submit({
        actor: "controller:liveness",
        decide: (tables, { atMs }) =>
          ok({ events: [...decideNodesDown(tables, plan.down, atMs), ...decideNodesUp(tables, plan.up)], outcome: {} }),
      });
    },
  };
}
