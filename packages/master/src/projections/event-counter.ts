import type { Counter, Metrics } from "@holdfast/observability";
import type { DomainEvent } from "../domain/events.ts";
import { drillOf } from "./event-log.ts";

/**
 * Counts folded events by kind, those that a drill caused apart; a counter is looked up once, because every event on
 * every master passes here.
 */
export function eventCounter(metrics: Metrics): (event: DomainEvent) => void {
  const counters = new Map<string, Counter>();
  return (event) => {
    const { kind } = event;
    const isInjected = drillOf(event) !== 0;
    const key = isInjected ? `${kind}/injected` : kind;
    let counter = counters.get(key);
    if (counter === undefined) {
      const name = "holdfast_master_events_applied_total";
      const labels = { kind, injected: String(isInjected) };
      counter = metrics.counter({ name, help: "Events folded here; injected = caused by a drill", labels });
      counters.set(key, counter);
    }
    counter.add();
  };
}
