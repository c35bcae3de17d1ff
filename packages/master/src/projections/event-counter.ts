import type { Counter, Metrics } from "@holdfast/observability";

/** Counts folded events by kind; a counter is looked up once, because every event on every master passes here. */
export function eventCounter(metrics: Metrics): (kind: string) => void {
  const counters = new Map<string, Counter>();
  return (kind) => {
    let counter = counters.get(kind);
    if (counter === undefined) {
      const name = "holdfast_master_events_applied_total";
      counter = metrics.counter({ name, help: "Events folded here", labels: { kind } });
      counters.set(kind, counter);
    }
    counter.add();
  };
}
