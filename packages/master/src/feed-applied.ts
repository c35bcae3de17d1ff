import type { Metrics } from "@holdfast/observability";
import type { KeyValueStore } from "@holdfast/runtime";
import { readProgress } from "./application/fold-entry.ts";
import type { ProjectionsStateMachine } from "./application/state-machine.ts";
import { drillTable } from "./domain/fleet/drills.ts";
import { readRefusedNodes } from "./domain/fleet/refused-nodes.ts";
import { nodeTable } from "./domain/fleet/tables.ts";
import { readerOf } from "./domain/tables.ts";
import { changesOf } from "./projections/change-feed-changes.ts";
import type { ChangeFeed } from "./projections/change-feed.ts";
import { eventCounter } from "./projections/event-counter.ts";
import type { Fleet } from "./services/fleet-service.ts";
import type { FleetObserver } from "./services/fleet/fleet-observer.ts";
import type { Leadership } from "./services/fleet/leadership.ts";
import { nodeToWire } from "./services/fleet/node-to-wire.ts";
import { readWireEntry } from "./wire/entry.ts";

/** Where applied batches come from and go to. */
export interface FeedAppliedOptions {
  readonly stateMachine: ProjectionsStateMachine;
  readonly store: KeyValueStore;
  readonly metrics: Metrics;
  readonly feed: ChangeFeed;
  readonly fleet: Fleet;
  readonly observer: FleetObserver;
  readonly leadership: Leadership;
  /** Told which nodes were removed, with reasons, by uuid: at once, and whenever that changes. */
  readonly refuseNodes: (reasons: ReadonlyMap<string, string>) => void;
}

/** Applied batches reach the counters, the watchers and the heartbeat streams. */
export function feedApplied(options: FeedAppliedOptions): void {
  const { stateMachine, store, metrics, feed, fleet, observer, leadership } = options;
  const countEvent = eventCounter(metrics);
  options.refuseNodes(readRefusedNodes(readerOf(store)));
  stateMachine.onReplaced((index) => {
    feed.reset({ index, atMs: readProgress(readerOf(store)).atMs });
    options.refuseNodes(readRefusedNodes(readerOf(store)));
  });
  stateMachine.onApplied((batch) => {
    for (const event of batch.events) countEvent(event);
    if (batch.events.some(({ kind }) => kind === "nodeRemoved")) options.refuseNodes(readRefusedNodes(batch.tables));
    const changes = changesOf(batch, {
      entry: (entryId) => readWireEntry(batch.tables, entryId),
      nodeOfDrill: (drillId) => batch.tables.get(drillTable, [drillId])?.nodeId,
      node: (nodeId) => {
        const row = batch.tables.get(nodeTable, [nodeId]);
        return row === undefined
          ? undefined
          : nodeToWire(row, batch.tables, leadership.isReady() ? observer : undefined);
      },
    });
    feed.publish({ index: batch.index, atMs: batch.atMs, changes });
    fleet.onApplied(batch);
  });
}
