/** Only goes up. */
export interface Counter {
  add(amount?: number): void;
}

/** A value that moves. */
export interface Gauge {
  set(value: number): void;
}

/** A distribution of durations or sizes. */
export interface Histogram {
  observe(value: number): void;
}

/** What a metric is called and means. Name: `holdfast_<component>_<noun>_<unit>`. */
export interface MetricDescription {
  readonly name: string;
  readonly help: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A process's metrics, as a port. Asking twice for the same name and labels gives the same metric. */
export interface Metrics {
  counter(description: MetricDescription): Counter;
  gauge(description: MetricDescription): Gauge;
  histogram(description: MetricDescription, bounds?: readonly number[]): Histogram;
  /** Prometheus text format. */
  render(): string;
}
