import type { ServerResponse } from "node:http";
import type { Metrics } from "@holdfast/observability";
import type { Gateway } from "../build-gateway.ts";

/** `GET /healthz`, `/readyz`, `/metrics`: for load balancers and operators. */
export async function serveHealth(
  gateway: Gateway,
  metrics: Metrics,
  call: { readonly path: string; readonly response: ServerResponse },
): Promise<void> {
  const { path, response } = call;
  if (path === "/healthz") return sendText(response, 200, "ok\n");
  if (path === "/metrics") return sendText(response, 200, metrics.render(), "text/plain; version=0.0.4; charset=utf-8");
  const { isReady, reason } = await gateway.readiness.check();
  sendText(response, isReady ? 200 : 503, `${isReady ? "ready" : reason}\n`);
}

function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  contentType = "text/plain; charset=utf-8",
): void {
  const bytes = Buffer.from(text);
  response.writeHead(status, {
    "Content-Type": contentType,
    "Content-Length": bytes.length,
    "Cache-Control": "no-store",
  });
  response.end(bytes);
}
