import { assert } from "@holdfast/base";
import type { Counter, Gauge, Histogram, MetricDescription, Metrics } from "./metrics.ts";

/** Durations in ms: from a tenth of a millisecond to ten seconds. */
const defaultBounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

interface Series {
  render(name: string, labels: string): string;
}

interface Family {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly series: Map<string, Series>;
}

/** All metrics of a process in memory, rendered as Prometheus text. Pure: the same for production and simulator. */
export function createMetrics(): Metrics {
  const families = new Map<string, Family>();
  const seriesOf = <T extends Series>(kind: Family["kind"], description: MetricDescription, make: () => T): T => {
    assert(/^[a-z][a-z0-9_]*$/.test(description.name), "a metric's name is lower-case words joined by _");
    let family = families.get(description.name);
    if (family === undefined) {
      family = { kind, help: description.help, series: new Map() };
      families.set(description.name, family);
    }
    assert(family.kind === kind, "a metric's name has one kind");
    const labels = renderLabels(description.labels ?? {});
    const found = family.series.get(labels);
    // The family's kind was just compared, so what is found is what `make` would make.
    if (found !== undefined) return found as T;
    const made = make();
    family.series.set(labels, made);
    return made;
  };
  return {
    counter: (description) => seriesOf("counter", description, () => new MemoryCounter()),
    gauge: (description) => seriesOf("gauge", description, () => new MemoryGauge()),
    histogram: (description, bounds = defaultBounds) =>
      seriesOf("histogram", description, () => new MemoryHistogram(bounds)),
    render: () =>
      [...families]
        .sort(byName)
        .map(([name, family]) => renderFamily(name, family))
        .join(""),
  };
}

class MemoryCounter implements Counter, Series {
  #value = 0;
  add(amount = 1): void {
    assert(amount >= 0, "a counter only goes up");
    this.#value += amount;
  }
  render(name: string, labels: string): string {
    return `${name}${braced(labels)} ${this.#value}\n`;
  }
}

class MemoryGauge implements Gauge, Series {
  #value = 0;
  set(value: number): void {
    this.#value = value;
  }
  render(name: string, labels: string): string {
    return `${name}${braced(labels)} ${this.#value}\n`;
  }
}

class MemoryHistogram implements Histogram, Series {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    let index = this.#bounds.findIndex((bound) => value <= bound);
    if (index < 0) index = this.#bounds.length;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += value;
  }

  render(name: string, labels: string): string {
    let text = "";
    let total = 0;
    for (const [index, count] of this.#counts.entries()) {
      total += count;
      const bound = this.#bounds[index];
      const limit = `le="${bound === undefined ? "+Inf" : bound}"`;
      text += `${name}_bucket{${labels === "" ? limit : `${labels},${limit}`}} ${total}\n`;
    }
    return `${text}${name}_sum${braced(labels)} ${this.#sum}\n${name}_count${braced(labels)} ${total}\n`;
  }
}

function renderFamily(name: string, family: Family): string {
  const lines = [...family.series].sort(byName).map(([labels, series]) => series.render(name, labels));
  return `# HELP ${name} ${family.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${family.kind}\n${lines.join("")}`;
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .sort(byName)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(",");
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function byName(left: readonly [string, unknown], right: readonly [string, unknown]): number {
  return left[0] < right[0] ? -1 : left[0] > right[0] ? 1 : 0;
}
