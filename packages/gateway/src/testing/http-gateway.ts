import { assert } from "@holdfast/base";
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
  /** `PUT /api/v1/files` by the account. */
  put(name: string, bytes: Uint8Array, options?: PutOptions): Promise<Response>;
  /** The same, which must succeed; answers the entry's id. */
  store(name: string, bytes: Uint8Array): Promise<string>;
  /** `GET /api/v1/files/<id>/content` by the account. */
  get(entryId: string, headers?: Record<string, string>, query?: string): Promise<Response>;
  stop(): Promise<void>;
}

/** What an upload of a test may say besides its name and bytes. */
export interface PutOptions {
  readonly conflict?: string;
  readonly parent?: string;
  readonly headers?: Record<string, string>;
}

/** Starts one on a free port and signs in. */
export async function startHttpGateway(
  overrides: {
    readonly http?: Partial<HttpConfig>;
    readonly gateway?: Partial<GatewayConfig>;
    readonly logger?: Logger;
  } = {},
): Promise<HttpGateway> {
  const [clock, random] = [createNodeClock(), createNodeRandom()];
  const logger = overrides.logger;
  const ports = {
    clock,
    random,
    timers: createNodeTimers(),
    metrics: createMetrics(),
    ...(logger === undefined ? {} : { logger }),
  };
  const firstAccounts = { defaultUser: ada, imported: [] };
  const memory = createMemoryGateway(ports, { firstAccounts, ...overrides.gateway });
  const config: HttpConfig = {
    ...defaultHttpConfig,
    webDirectory: "/nonexistent",
    port: 0,
    stopGraceMs: 200,
    ...overrides.http,
  };
  const parts = { clock, random, metrics: ports.metrics, logger: logger ?? silentLogger };
  const server = await startHttpServer(config, createHttpHandler(memory.gateway, config, parts));
  const origin = `http://${server.address}`;
  while (!(await memory.gateway.readiness.check()).isReady) await ports.timers.sleep(1);
  const scope = { requestId: "0".repeat(32), signal: new AbortController().signal };
  const attempt = { ...ada, channel: "cli" as const, keepSignedIn: false, ip: "test", client: "test" };
  const { token } = await memory.gateway.sessions.signIn(attempt, scope);
  const bearer = { Authorization: `Bearer ${token}` };
  const put = async (name: string, bytes: Uint8Array, options: PutOptions = {}): Promise<Response> => {
    const query = new URLSearchParams({ parent: options.parent ?? "0", name, conflict: options.conflict ?? "fail" });
    const headers = { ...bearer, ...options.headers };
    return fetch(`${origin}/api/v1/files?${query}`, { method: "PUT", body: Uint8Array.from(bytes), headers });
  };
  return {
    ...memory,
    origin,
    port: Number(origin.slice(origin.lastIndexOf(":") + 1)),
    bearer,
    put,
    store: async (name, bytes) => {
      const response = await put(name, bytes, { conflict: "replace" });
      assert(response.status === 201, "a test's file is stored");
      return ((await response.json()) as { entryId: string }).entryId;
    },
    get: async (entryId, headers = {}, query = "") =>
      fetch(`${origin}/api/v1/files/${entryId}/content${query}`, { headers: { ...bearer, ...headers } }),
    async stop() {
      await memory.gateway.stop();
      await server.stop();
    },
  };
}
