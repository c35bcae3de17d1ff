import { createMetrics } from "@holdfast/observability/node";
import { createNodeClock, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";
import { silentLogger, type Logger } from "@holdfast/observability";
import type { GatewayConfig } from "../gateway-config.ts";
import { defaultHttpConfig, type HttpConfig } from "../http/http-config.ts";
import { createHttpHandler } from "../http/http-handler.ts";
import { startHttpServer } from "../http/http-server.ts";
import { createMemoryGateway, type MemoryGateway } from "./memory-gateway.ts";

/** The account every HTTP test starts with. */
export const ada = { email: "ada@example.org", password: "correct horse" };

/** A memory gateway that listens, with an account and its token. */
export interface HttpGateway extends MemoryGateway {
  readonly origin: string;
  readonly port: number;
  /** `Authorization` header of the account. */
  readonly bearer: { readonly Authorization: string };
  stop(): Promise<void>;
}

/** Starts one on a free port and signs in. */
export async function startHttpGateway(
  overrides: { readonly http?: Partial<HttpConfig>; readonly gateway?: Partial<GatewayConfig>; readonly logger?: Logger } = {},
): Promise<HttpGateway> {
  const [clock, random] = [createNodeClock(), createNodeRandom()];
  const logger = overrides.logger;
  const ports = { clock, random, timers: createNodeTimers(), metrics: createMetrics(), ...(logger === undefined ? {} : { logger }) };
  const firstAccounts = { defaultUser: ada, imported: [] };
  const memory = createMemoryGateway(ports, { firstAccounts, ...overrides.gateway });
  const config: HttpConfig = { ...defaultHttpConfig, webDirectory: "/nonexistent", port: 0, stopGraceMs: 200, ...overrides.http };
  const parts = { clock, random, metrics: ports.metrics, logger: logger ?? silentLogger };
  const server = await startHttpServer(config, createHttpHandler(memory.gateway, config, parts));
  const origin = `http://${server.address}`;
  while (!(await memory.gateway.readiness.check()).isReady) await ports.timers.sleep(1);
  const scope = { requestId: "0".repeat(32), signal: new AbortController().signal };
  const attempt = { ...ada, channel: "cli" as const, keepSignedIn: false, ip: "test", client: "test" };
  const { token } = await memory.gateway.sessions.signIn(attempt, scope);
  return {
    ...memory,
    origin,
    port: Number(origin.slice(origin.lastIndexOf(":") + 1)),
    bearer: { Authorization: `Bearer ${token}` },
    async stop() {
      await memory.gateway.stop();
      await server.stop();
    },
  };
}
