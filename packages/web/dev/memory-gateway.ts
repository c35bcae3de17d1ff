import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import type { ConnectRouter } from "@connectrpc/connect";
import { serveBytes } from "./memory-bytes.ts";
import { memoryRouter } from "./memory-services.ts";
import { MemoryState } from "./memory-state.ts";

/** A running memory gateway. */
export interface MemoryGateway {
  readonly url: string;
  readonly state: MemoryState;
  /** Breaks every open connection, as a restart does. */
  dropConnections(): void;
  stop(): Promise<void>;
}

const distFolder = fileURLToPath(new URL("../dist/", import.meta.url));
const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
const policy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/**
 * The page's test double of a gateway and the cluster behind it: the same contracts over HTTP, everything in memory, faults on
 * demand. Serves `dist/`. `port` 0 takes a free one.
 */
export async function startMemoryGateway(options: { readonly port?: number } = {}): Promise<MemoryGateway> {
  const state = new MemoryState();
  const router = memoryRouter(state);
  const server = createServer((request, response) => {
    answer({ state, router, request, response }).catch((thrown: unknown) =>
      response.destroy(thrown instanceof Error ? thrown : new Error(String(thrown))),
    );
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    state,
    dropConnections: () => server.closeAllConnections(),
    stop: () => stop(server),
  };
}

interface Exchange {
  readonly state: MemoryState;
  readonly router: ConnectRouter;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function answer(exchange: Exchange): Promise<void> {
  const { state, request, response } = exchange;
  const path = new URL(request.url ?? "/", "http://memory").pathname;
  if (await serveBytes(state, request, response)) return;
  const handler = exchange.router.handlers.find((one) => one.requestPath === path);
  if (handler === undefined) return serveStatic(path, response);
  if (state.faults.isFeedDown && path.endsWith("/Watch")) {
    response.writeHead(503).end();
    return;
  }
  await serveConnect(exchange, handler);
}

async function serveConnect(
  { request, response }: Exchange,
  handler: ConnectRouter["handlers"][number],
): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const header = new Headers();
  for (const [name, value] of Object.entries(request.headers)) if (typeof value === "string") header.set(name, value);
  const result = await handler({
    httpVersion: "1.1",
    url: `http://memory${request.url ?? "/"}`,
    method: request.method ?? "POST",
    header,
    body: request as AsyncIterable<Uint8Array>,
    signal: gone.signal,
  });
  response.writeHead(result.status, Object.fromEntries(result.header ?? []));
  try {
    for await (const piece of result.body ?? []) response.write(piece);
  } catch (thrown) {
    if (!gone.signal.aborted) throw thrown;
  }
  response.end();
}

async function serveStatic(path: string, response: ServerResponse): Promise<void> {
  const wanted = join(distFolder, normalize(path));
  const isFile =
    path !== "/" &&
    (await stat(wanted).then(
      (found) => found.isFile(),
      () => false,
    ));
  const file = isFile ? wanted : join(distFolder, "index.html");
  response.writeHead(200, {
    "content-type": types[extname(file)] ?? "application/octet-stream",
    "content-security-policy": policy,
    "cache-control": path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
  });
  createReadStream(file).pipe(response);
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
