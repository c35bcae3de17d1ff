import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { HoldfastError } from "@holdfast/base";
import type { HttpConfig } from "./http-config.ts";

/** A gateway's HTTP side, listening. */
export interface HttpServer {
  /** host:port it listens on. */
  readonly address: string;
  /** Takes no new connections, lets requests in progress end for the grace, then cuts them. */
  stop(): Promise<void>;
}

/** Handles one request; never rejects. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Listens with the limits of the config. Errors: precondition when the port cannot be had. */
export async function startHttpServer(config: HttpConfig, handler: HttpHandler): Promise<HttpServer> {
  const options = {
    maxHeaderSize: config.headerBytesMax,
    headersTimeout: config.headersTimeoutMs,
    // Uploads take as long as they take; silence is what ends them (the idle timeout).
    requestTimeout: 0,
    keepAliveTimeout: config.idleTimeoutMs,
    connectionsCheckingInterval: 5000,
  };
  const { tls } = config;
  const server: Server =
    tls === undefined ? createServer(options) : createTlsServer({ ...options, cert: tls.certificate, key: tls.key });
  server.timeout = config.idleTimeoutMs;
  server.maxConnections = config.connectionsMax;
  server.on("request", handler);
  // The handler itself asks for the body once it wants it.
  server.on("checkContinue", handler);
  server.on("clientError", refuseConnection);
  await listen(server, config);
  const { port } = server.address() as AddressInfo;
  return { address: `${config.host}:${port}`, stop: () => stop(server, config.stopGraceMs) };
}

async function listen(server: Server, config: HttpConfig): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `The gateway cannot listen on ${config.host}:${config.port}. Nothing was started. Choose another port with --port.`;
      reject(new HoldfastError("precondition", message, { cause }));
    });
    server.listen({ port: config.port, host: config.host }, resolve);
  });
}

async function stop(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(cut);
}

const statusByParserCode: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** What is not HTTP, or too much of it, gets a short answer and the end of its connection. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Pick<Socket, "writable" | "destroy" | "end">): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = statusByParserCode[error.code ?? ""] ?? "400 Bad Request";
  socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}
