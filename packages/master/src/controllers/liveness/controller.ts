import { ok } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { Clock, KeyValueStore } from "@holdfast/runtime";
import { readProgress } from "../../application/fold-entry.ts";
import type { Submitter } from "../../application/submission.ts";
import { decideNodesDown, decideNodesUp } from "../../domain/fleet/decide.ts";
import { listNodes, type NodeRow } from "../../domain/fleet/tables.ts";
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
  let cautioned: ReadonlySet<number> = new Set();
  const noteCautions = (rows: readonly NodeRow[]): void => {
    const now = new Set<number>();
    for (const { nodeId, name } of rows) {
      const caution = observer.cautionOf(nodeId);
      if (caution === undefined) continue;
      now.add(nodeId);
      if (!cautioned.has(nodeId)) logger.warn("liveness.caution", { nodeId, name, ...caution });
    }
    for (const nodeId of cautioned) if (!now.has(nodeId)) logger.info("liveness.caution_over", { nodeId });
    cautioned = now;
  };
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
      const tables = readerOf(store);
      const rows = listNodes(tables);
      observer.judge(tables, rows, Math.max(Math.floor(clock.wallMs()), readProgress(tables).atMs));
      noteCautions(rows);
      const plan = planLiveness(observer.view(rows));
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
