import type { ServerResponse } from "node:http";
import type { Logger, Metrics } from "@holdfast/observability";
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
  #runningCount = 0;

  constructor(logger: Logger, metrics: Metrics, clock: Clock) {
    this.#logger = logger;
    this.#metrics = metrics;
    this.#clock = clock;
  }

  /** Follows a request to its end. */
  follow(response: ServerResponse, request: LoggedRequest): void {
    const startedMs = this.#clock.monotonicMs();
    this.#running(1);
    response.once("close", () => {
      this.#running(-1);
      const status = response.writableFinished ? response.statusCode : 499;
      this.#tell(request, status, this.#clock.monotonicMs() - startedMs);
    });
  }

  #running(change: number): void {
    this.#runningCount += change;
    const gauge = this.#metrics.gauge({
      name: "holdfast_gateway_requests_running_count",
      help: "Requests in progress.",
    });
    gauge.set(this.#runningCount);
  }

  #tell(request: LoggedRequest, status: number, ms: number): void {
    const fields = { ...request, status, ms: Math.round(ms * 10) / 10 };
    // Probes come every second and say nothing new.
    if (request.route.startsWith("/")) this.#logger.debug("http.request", fields);
    else if (status >= 500) this.#logger.warn("http.request", fields);
    else this.#logger.info("http.request", fields);
    const labels = { route: request.route, status: `${Math.floor(status / 100)}xx` };
    this.#metrics
      .counter({ name: "holdfast_gateway_requests_total", help: "Requests by route and class of status.", labels })
      .add();
    const duration = {
      name: "holdfast_gateway_request_duration_ms",
      help: "Time from head to end of answer.",
      labels: { route: request.route },
    };
    this.#metrics.histogram(duration, durationBoundsMs).observe(ms);
  }
}
