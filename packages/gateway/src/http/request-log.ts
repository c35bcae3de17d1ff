import type { ServerResponse } from "node:http";
import type { Counter, Gauge, Histogram, Logger, Metrics } from "@holdfast/observability";
import type { Clock } from "@holdfast/runtime";

/** What is told about one request. */
export interface LoggedRequest {
  readonly method: string;
  /** Name of the route, never the address: addresses hold names of files. */
  readonly route: string;
  readonly requestId: string;
}

const durationBoundsMs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 60_000];

/** One line and two measures per request, once its answer is through or its connection gone. */
export class RequestLog {
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #clock: Clock;
  readonly #running: Gauge;
  readonly #answered = new Map<string, Counter>();
  readonly #durations = new Map<string, Histogram>();
  #runningCount = 0;

  constructor(logger: Logger, metrics: Metrics, clock: Clock) {
    this.#logger = logger;
    this.#metrics = metrics;
    this.#clock = clock;
    this.#running = metrics.gauge({ name: "holdfast_gateway_requests_running_count", help: "Requests in progress." });
  }

  /** Follows a request to its end. */
  follow(response: ServerResponse, request: LoggedRequest): void {
    const startedMs = this.#clock.monotonicMs();
    this.#countRunning(1);
    response.once("close", () => {
      this.#countRunning(-1);
      const status = response.writableFinished ? response.statusCode : 499;
      this.#tell(request, status, this.#clock.monotonicMs() - startedMs);
    });
  }

  #countRunning(change: number): void {
    this.#runningCount += change;
    this.#running.set(this.#runningCount);
  }

  #tell(request: LoggedRequest, status: number, ms: number): void {
    const fields = { ...request, status, ms: Math.round(ms * 10) / 10 };
    // Probes come every second and say nothing new.
    if (request.route.startsWith("/")) this.#logger.debug("http.request", fields);
    else if (status >= 500) this.#logger.warn("http.request", fields);
    else this.#logger.info("http.request", fields);
    this.#answeredOf(request.route, `${Math.floor(status / 100)}xx`).add();
    this.#durationOf(request.route).observe(ms);
  }

  // Looked up once each: there are few routes, and every request passes here.
  #answeredOf(route: string, status: string): Counter {
    const key = `${status} ${route}`;
    const known = this.#answered.get(key);
    if (known !== undefined) return known;
    const name = "holdfast_gateway_requests_total";
    const help = "Requests by route and class of status.";
    const made = this.#metrics.counter({ name, help, labels: { route, status } });
    this.#answered.set(key, made);
    return made;
  }

  #durationOf(route: string): Histogram {
    const known = this.#durations.get(route);
    if (known !== undefined) return known;
    const name = "holdfast_gateway_request_duration_ms";
    const help = "Time from head to end of answer.";
    const made = this.#metrics.histogram({ name, help, labels: { route } }, durationBoundsMs);
    this.#durations.set(route, made);
    return made;
  }
}
