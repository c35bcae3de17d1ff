import type { IncomingMessage, ServerResponse } from "node:http";
import { createContextValues } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { HoldfastError, toHex } from "@holdfast/base";
import type { Logger, Metrics } from "@holdfast/observability";
import type { Clock, Random } from "@holdfast/runtime";
import type { Gateway } from "../build-gateway.ts";
import { errorInterceptor, logUnexpected } from "../services/connect-errors.ts";
import { connectPaths, connectRoutes } from "../services/connect-routes.ts";
import { requestFactsKey, signedIn, type RequestFacts } from "../services/request-facts.ts";
import { sessionCookie, type SessionCookie } from "./cookies.ts";
import { getContent } from "./download-route.ts";
import { sendError } from "./error-response.ts";
import { header, type Exchange } from "./exchange.ts";
import { serveHealth } from "./health-routes.ts";
import type { HttpConfig } from "./http-config.ts";
import type { HttpHandler } from "./http-server.ts";
import { RequestLog } from "./request-log.ts";
import { mayChangeState } from "./same-origin.ts";
import { setCommonHeaders } from "./security-headers.ts";
import { StaticRoute } from "./static-route.ts";
import { endUnreadBody } from "./unread-body.ts";
import { putFile, putPart } from "./upload-routes.ts";

/** The world the HTTP side lives in. */
export interface HttpParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

interface Route {
  readonly name: string;
  readonly methods: readonly string[];
  readonly pattern: RegExp;
  readonly serve: (gateway: Gateway, exchange: Exchange, parts: readonly string[]) => Promise<void>;
}

const apiRoutes: readonly Route[] = [
  { name: "PutFile", methods: ["PUT"], pattern: /^\/api\/v1\/files$/, serve: putFile },
  { name: "PutPart", methods: ["PUT"], pattern: /^\/api\/v1\/uploads\/([^/]+)\/parts\/([^/]+)$/, serve: putPart },
  { name: "GetContent", methods: ["GET", "HEAD"], pattern: /^\/api\/v1\/files\/([^/]+)\/content$/, serve: getContent },
];

const healthPaths: readonly string[] = ["/healthz", "/readyz", "/metrics"];
const rpcPath = /^\/holdfast\.(drive|fleet)\.v1\./;

/** The request handler of a gateway: health, Connect services, bytes, and the page. */
export function createHttpHandler(gateway: Gateway, config: HttpConfig, parts: HttpParts): HttpHandler {
  const cookie = sessionCookie(config.isSecure);
  const log = new RequestLog(parts.logger, parts.metrics, parts.clock);
  const page = new StaticRoute(config.webDirectory, parts.clock);
  const rpc = createRpcHandler(gateway, config, parts.logger);
  const dispatch = async (exchange: Exchange, route: Route | undefined): Promise<void> => {
    const { request, response, url } = exchange;
    const method = request.method ?? "";
    requireOwnOrigin(request, { cookie, isSecure: config.isSecure });
    if (rpcPath.test(url.pathname)) return rpc(request, response, exchange.facts);
    if (route !== undefined && route.methods.includes(method))
      return route.serve(gateway, exchange, route.pattern.exec(url.pathname)?.slice(1) ?? []);
    if (route !== undefined) return refuseMethod(exchange, route.methods);
    if (url.pathname.startsWith("/api/")) throw new HoldfastError("notFound", "There is nothing at this address.");
    if (method !== "GET" && method !== "HEAD") return refuseMethod(exchange, ["GET", "HEAD"]);
    if (healthPaths.includes(url.pathname))
      return serveHealth(gateway, parts.metrics, { path: url.pathname, response });
    return page.serve(exchange);
  };

  return (request, response) => {
    const requestId = toHex(parts.random.bytes(16));
    setCommonHeaders(response, { isSecure: config.isSecure, requestId });
    const url = addressOf(request);
    const route = apiRoutes.find(({ pattern }) => pattern.test(url?.pathname ?? ""));
    log.follow(response, { method: request.method ?? "", route: routeName(url, route), requestId });
    const exchange = url === undefined ? undefined : exchangeOf({ request, response, url, requestId }, gateway, cookie);
    const work = exchange === undefined ? Promise.reject(badAddress()) : dispatch(exchange, route);
    work
      .catch((thrown: unknown) => {
        // A client that went away breaks whatever was being done for it; that is no fault of ours.
        if (response.destroyed) return;
        logUnexpected(parts.logger, thrown, requestId);
        if (response.headersSent) response.destroy();
        else sendError(response, thrown, requestId);
      })
      .finally(() => endUnreadBody(request, response))
      .catch((thrown: unknown) => logUnexpected(parts.logger, thrown, requestId));
  };
}

function exchangeOf(
  raw: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly url: URL;
    readonly requestId: string;
  },
  gateway: Gateway,
  cookie: SessionCookie,
): Exchange {
  const { request, response, requestId } = raw;
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  const bearer = /^Bearer ([^\s]+)$/i.exec(header(request, "authorization") ?? "")?.[1];
  const fromCookie = cookie.read(header(request, "cookie"));
  const facts: RequestFacts = {
    requestId,
    token: bearer ?? fromCookie,
    ip: request.socket.remoteAddress ?? "",
    client: header(request, "user-agent") ?? "",
    cookieFor: (token, idleMs) => cookie.give(token, idleMs),
    cookieGone: () => cookie.take(),
    onSignedIn: ({ idleMs }) => {
      if (bearer === undefined && fromCookie !== undefined && !response.headersSent)
        response.setHeader("Set-Cookie", cookie.give(fromCookie, idleMs));
    },
  };
  const scope = { requestId, signal: gone.signal };
  return { ...raw, facts, scope, caller: () => signedIn(gateway, facts, scope) };
}

function createRpcHandler(
  gateway: Gateway,
  config: HttpConfig,
  logger: Logger,
): (request: IncomingMessage, response: ServerResponse, facts: RequestFacts) => Promise<void> {
  const factsByRequest = new WeakMap<object, RequestFacts>();
  const handler = connectNodeAdapter({
    routes: connectRoutes(gateway),
    interceptors: [errorInterceptor(logger)],
    readMaxBytes: config.messageBytesMax,
    contextValues: (request) => createContextValues().set(requestFactsKey, factsByRequest.get(request)),
  });
  return async (request, response, facts) => {
    if (header(request, "expect") !== undefined) response.writeContinue();
    factsByRequest.set(request, facts);
    response.setHeader("Cache-Control", "no-store");
    await new Promise<void>((resolve) => {
      response.once("close", resolve);
      handler(request, response);
    });
  };
}

function requireOwnOrigin(
  request: IncomingMessage,
  site: { readonly cookie: SessionCookie; readonly isSecure: boolean },
): void {
  const claims = {
    method: request.method ?? "",
    host: header(request, "host"),
    origin: header(request, "origin"),
    secFetchSite: header(request, "sec-fetch-site"),
    hasCookie:
      header(request, "authorization") === undefined && site.cookie.read(header(request, "cookie")) !== undefined,
  };
  if (mayChangeState(claims, site.isSecure)) return;
  throw new HoldfastError(
    "denied",
    "This request came from another site. Nothing was changed. Open the page itself and try there.",
  );
}

function refuseMethod({ response, facts }: Exchange, methods: readonly string[]): void {
  response.setHeader("Allow", methods.join(", "));
  response.statusCode = 405;
  response.setHeader("Content-Length", 0);
  response.setHeader("X-Request-Id", facts.requestId);
  response.end();
}

/** Undefined for a target that is not a path, or a request without a host. */
function addressOf(request: IncomingMessage): URL | undefined {
  const target = request.url ?? "";
  if (!target.startsWith("/") || header(request, "host") === undefined) return undefined;
  return URL.canParse(target, "http://gateway") && !target.startsWith("//")
    ? new URL(target, "http://gateway")
    : undefined;
}

function routeName(url: URL | undefined, route: Route | undefined): string {
  if (url === undefined) return "bad";
  if (route !== undefined) return route.name;
  if (connectPaths.has(url.pathname)) return url.pathname.replace(rpcPath, "");
  if (healthPaths.includes(url.pathname)) return url.pathname;
  return url.pathname.startsWith("/api/") || rpcPath.test(url.pathname) ? "unknown" : "page";
}

function badAddress(): HoldfastError {
  return new HoldfastError("invalidArgument", "The address of this request cannot be read. Nothing was changed.");
}
