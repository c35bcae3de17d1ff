import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { HoldfastError } from "@holdfast/base";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics.ts";

/** Whether the process can do its work now, and if not, why. */
export interface Readiness {
  readonly isReady: boolean;
  readonly reason?: string;
}

/** What the health server shows. */
export interface HealthServerOptions {
  /** host:port; port 0 = any free one. */
  readonly address: string;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly readiness: () => Readiness | Promise<Readiness>;
}

/** A running health server. */
export interface HealthServer {
  /** host:port it listens on. */
  readonly address: string;
  stop(): Promise<void>;
}

/**
 * Plain HTTP for operators: `GET /healthz` (200: the process is up), `GET /readyz` (200 or 503 with a reason),
 * `GET /metrics` (Prometheus text). Errors: `precondition` when the port is taken.
 */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      options.logger.warn("health.answer_failed", { message: error instanceof Error ? error.message : String(error) });
      response.destroy();
    });
  });
  const split = options.address.lastIndexOf(":");
  const host = options.address.slice(0, split);
  const port = Number(options.address.slice(split + 1));
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      reject(
        new HoldfastError("precondition", `cannot serve health on ${options.address}; choose a free port`, { cause }),
      );
    });
    server.listen(port, host, resolve);
  });
  // A TCP server that listens has an address of this shape.
  const bound = server.address() as AddressInfo;
  return {
    address: `${host}:${bound.port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, options: HealthServerOptions): Promise<void> {
  request.resume();
  const path = (request.url ?? "/").split("?")[0];
  if (request.method !== "GET" && request.method !== "HEAD") return send(response, 405, "only GET\n");
  switch (path) {
    case "/healthz":
      return send(response, 200, "ok\n");
    case "/readyz": {
      const readiness = await options.readiness();
      return send(
        response,
        readiness.isReady ? 200 : 503,
        `${readiness.isReady ? "ready" : (readiness.reason ?? "not ready")}\n`,
      );
    }
    case "/metrics":
      return send(response, 200, options.metrics.render(), "text/plain; version=0.0.4; charset=utf-8");
    default:
      return send(response, 404, "not here; try /healthz, /readyz or /metrics\n");
  }
}

function send(response: ServerResponse, status: number, body: string, type = "text/plain; charset=utf-8"): void {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
  });
  response.end(body);
}
