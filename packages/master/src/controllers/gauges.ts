import type { Metrics } from "@holdfast/observability";
import type { KeyValueStore } from "@holdfast/runtime";
import type { CopySetSource } from "../application/copy-set-index.ts";
import { countChunks } from "../cluster-status.ts";
import { listDrills } from "../domain/fleet/drills.ts";
import { listNodes } from "../domain/fleet/tables.ts";
import { readerOf, type TableReader } from "../domain/tables.ts";
import type { FleetObserver } from "../services/fleet/fleet-observer.ts";
import type { Controller } from "./controller.ts";

/** What the gauges show. */
export interface GaugesOptions {
  readonly store: KeyValueStore;
  readonly copySets: CopySetSource;
  readonly observer: FleetObserver;
  readonly metrics: Metrics;
}

/** Keeps the leader's gauges of nodes and chunks fresh; a master that does not lead shows its last ones. */
export function createGauges({ store, copySets, observer, metrics }: GaugesOptions): Controller {
  const nodes = (liveness: string) =>
    metrics.gauge({
      name: "holdfast_master_nodes_count",
      help: "Nodes by liveness, at the leader",
      labels: { liveness },
    });
  const chunks = (state: string) =>
    metrics.gauge({
      name: "holdfast_master_chunks_count",
      help: "Held chunks by state, at the leader",
      labels: { state },
    });
  const drills = (kind: string) =>
    metrics.gauge({
      name: "holdfast_master_drills_count",
      help: "Failure drills that run, by kind, at the leader",
      labels: { kind },
    });
  const cautioned = metrics.gauge({
    name: "holdfast_master_nodes_cautioned_count",
    help: "Slow or flapping nodes that get new copies last, at the leader",
  });
  return {
    name: "gauges",
    intervalMs: 5000,
    step: async () => {
      const tables = readerOf(store);
      const counts = { unknown: 0, live: 0, suspect: 0, dead: 0 };
      for (const row of listNodes(tables)) counts[observer.livenessOf(row)] += 1;
      for (const [liveness, count] of Object.entries(counts)) nodes(liveness).set(count);
      for (const [kind, count] of drillCounts(tables)) drills(kind).set(count);
      cautioned.set(listNodes(tables).filter((row) => observer.cautionOf(row.nodeId) !== undefined).length);
      const { $typeName: _, ...health } = await countChunks(copySets, tables);
      for (const [state, count] of Object.entries(health))
        if (typeof count === "bigint") chunks(state).set(Number(count));
    },
  };
}

function drillCounts(tables: TableReader): ReadonlyMap<string, number> {
  const counts = new Map(["stop", "partition", "slow", "corrupt"].map((kind) => [kind, 0]));
  for (const { drillKind } of listDrills(tables)) counts.set(drillKind, (counts.get(drillKind) ?? 0) + 1);
  return counts;
}
