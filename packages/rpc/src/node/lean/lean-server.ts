import {
  constants,
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { HoldfastError, must, toHex } from "@holdfast/base";
import type { Timers } from "@holdfast/runtime";
import type { EncodedMessage, ServerByteCall } from "../../binding/byte-call.ts";
import { bindServices, CallLimit } from "../../binding/server-binding.ts";
import { grpcStatus } from "../../errors/code-table.ts";
import { errorTrailer, toWireError } from "../../errors/wire-error.ts";
import type { Listener } from "../../network.ts";
import type { PeerIdentity } from "../../peer-identity.ts";
import { requestIdHeader } from "../grpc-options.ts";
import type { GrpcServerOptions } from "../grpc-server.ts";
import { MessageChannel } from "./message-channel.ts";
import type { NetworkSecurity } from "../network-security.ts";
import { http2Settings, sessionMemoryMb, tendSession } from "./session-settings.ts";
import { parseTimeout } from "./timeout-header.ts";
import { readPeer, refusalFor, type TlsPeer } from "./tls-peer.ts";

/** How long answers to calls that were ended by `close` may take to leave. */
const lastAnswersMs = 200;
/** How long a caller may go on sending after its call was answered. */
const uselessSendingMs = 1_000;

/** Serves gRPC straight over `node:http2`. Errors: `precondition` when the address cannot be listened on. */
export async function listenLean(options: GrpcServerOptions): Promise<Listener> {
  const { ports } = options;
  const answers = bindServices(options.services, ports, new CallLimit(options.callsMax));
  const { security } = options;
  const server = security === undefined ? createServer(sessionOptions) : createTlsServer(security);
  const peers = new WeakMap<object, TlsPeer>();
  const sessions = new Set<ServerHttp2Session>();
  const calls = new Set<LeanServerCall>();
  server.on("session", (session) => {
    sessions.add(session);
    if (security !== undefined) peers.set(session, readPeer(session, security));
    session.on("close", () => sessions.delete(session));
    session.on("error", (error) => ports.logger.debug("rpc.session_failed", { message: error.message }));
    tendSession(session, ports.timers);
  });
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const answer = answers.get(headers[":path"] ?? "");
    if (answer === undefined) return refuseUnknown(stream);
    const peer = peers.get(stream.session ?? stream);
    const requestId = headers[requestIdHeader];
    const call = new LeanServerCall(stream, headers, {
      requestId: typeof requestId === "string" && requestId !== "" ? requestId : toHex(ports.random.bytes(8)),
      timers: ports.timers,
      caller: peer !== undefined && "identity" in peer ? peer.identity : undefined,
    });
    const refusal = security === undefined ? undefined : refusalFor(headers[":path"] ?? "", peer ?? nobody, security);
    if (refusal !== undefined) {
      ports.logger.warn("rpc.call_refused", { path: headers[":path"] ?? "", peer: call.peer, reason: refusal.message });
      return call.end(refusal);
    }
    calls.add(call);
    answer(call).then(
      () => calls.delete(call),
      (error: unknown) => ports.logger.error("rpc.answer_failed", { message: String(error) }),
    );
  });
  const host = options.address.slice(0, options.address.lastIndexOf(":"));
  const port = await bind(server, options.address);
  let closing: Promise<void> | undefined;
  return {
    address: `${host}:${port}`,
    close: (graceMs = 0) => {
      closing ??= closeServer({ server, sessions, calls, timers: ports.timers, graceMs });
      return closing;
    },
  };
}

const sessionOptions = { settings: http2Settings, maxSessionMemory: sessionMemoryMb };
const nobody: TlsPeer = { flaw: "The connection is gone." };

/** Whoever shows nothing, or the wrong thing, is told so by each call: a broken handshake would tell nobody anything. */
function createTlsServer(security: NetworkSecurity): Http2SecureServer {
  const current = (): { readonly ca: string; readonly cert: string; readonly key: string } => {
    const { authority, own } = must(security.current(), "who serves has a certificate");
    const { certificate, privateKey } = must(own, "who serves has a certificate");
    return { ca: authority, cert: certificate, key: privateKey };
  };
  const handshake = { minVersion: "TLSv1.3", requestCert: true, rejectUnauthorized: false } as const;
  const server = createSecureServer({ ...sessionOptions, ...handshake, ...current() });
  security.onChanged(() => server.setSecureContext({ minVersion: "TLSv1.3", ...current() }));
  return server;
}

function bind(server: Http2Server | Http2SecureServer, address: string): Promise<number> {
  const split = address.lastIndexOf(":");
  return new Promise((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new HoldfastError("precondition", `cannot listen on ${address}; choose a free port`, { cause })),
    );
    server.listen(Number(address.slice(split + 1)), address.slice(0, split), () => {
      const bound = must(server.address(), "a server that listens has an address");
      resolve(typeof bound === "string" ? 0 : bound.port);
    });
  });
}

/** New connections are refused at once; calls that run get `graceMs`, then `unavailable`. */
async function closeServer(parts: {
  readonly server: Http2Server | Http2SecureServer;
  readonly sessions: ReadonlySet<ServerHttp2Session>;
  readonly calls: ReadonlySet<LeanServerCall>;
  readonly timers: Timers;
  readonly graceMs: number;
}): Promise<void> {
  const closed = new Promise<void>((resolve) => parts.server.close(() => resolve()));
  for (const session of parts.sessions) session.close();
  const ending = parts.timers.after(parts.graceMs, () => {
    for (const call of [...parts.calls]) call.endByServer();
  });
  const cutting = parts.timers.after(parts.graceMs + lastAnswersMs, () => {
    for (const session of [...parts.sessions]) session.destroy();
  });
  await closed;
  ending.cancel();
  cutting.cancel();
}

const responseHeaders = { ":status": 200, "content-type": "application/grpc+proto" };

function refuseUnknown(stream: ServerHttp2Stream): void {
  stream.on("error", () => undefined);
  stream.respond({ ...responseHeaders, "grpc-status": String(grpcStatus.unimplemented) }, { endStream: true });
  stream.resume();
}

interface CallFacts {
  readonly requestId: string;
  readonly timers: Timers;
  readonly caller: PeerIdentity | undefined;
}

class LeanServerCall implements ServerByteCall {
  readonly requestId: string;
  readonly peer: string;
  readonly caller: PeerIdentity | undefined;
  readonly #stream: ServerHttp2Stream;
  readonly #channel: MessageChannel;
  readonly #controller = new AbortController();
  readonly #deadline: { cancel(): void } | undefined;
  readonly #timers: Timers;
  #isEnded = false;
  #trailers: Record<string, string> = { "grpc-status": "0" };

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, given: CallFacts) {
    this.#stream = stream;
    this.caller = given.caller;
    this.requestId = given.requestId;
    this.#timers = given.timers;
    const socket = stream.session?.socket;
    this.peer = socket === undefined ? "" : `${socket.remoteAddress}:${socket.remotePort}`;
    this.#channel = new MessageChannel(stream, (error) => this.end(error));
    stream.on("wantTrailers", () => stream.sendTrailers(this.#trailers));
    // Broken streams close too; the error says nothing more.
    stream.on("error", () => undefined);
    stream.on("close", () => {
      this.#deadline?.cancel();
      if (!this.#isEnded) this.#controller.abort();
    });
    const timeoutMs = parseTimeout(headers["grpc-timeout"]?.toString());
    if (timeoutMs !== undefined) {
      this.#deadline = given.timers.after(timeoutMs, () => {
        this.end(
          new HoldfastError("deadline", "the deadline passed; the request may or may not have been carried out"),
        );
        this.#controller.abort();
      });
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async receive(): Promise<Uint8Array | undefined> {
    const message = await this.#channel.receive();
    if (message === undefined && this.#isOver()) throw gone();
    return message;
  }

  async send(message: EncodedMessage): Promise<void> {
    if (this.#isOver()) throw gone();
    if (!this.#stream.headersSent) this.#stream.respond(responseHeaders, { waitForTrailers: true });
    await this.#channel.send(message);
    if (this.#isOver()) throw gone();
  }

  end(error?: HoldfastError): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#deadline?.cancel();
    if (this.#stream.destroyed || this.#stream.closed) return;
    if (error !== undefined) this.#trailers = trailersOf(error, this.requestId);
    if (this.#stream.headersSent) {
      this.#stream.end();
    } else {
      this.#stream.respond({ ...responseHeaders, ...this.#trailers }, { endStream: true });
    }
    this.#discardRest();
  }

  /** The server closes: the caller may try elsewhere. */
  endByServer(): void {
    this.end(new HoldfastError("unavailable", "the server is stopping; try another one or try again in a moment"));
    this.#controller.abort();
  }

  /** What the caller still sends is not read. It stops by itself when it has the answer, else it is stopped. */
  #discardRest(): void {
    this.#channel.abandon();
    this.#stream.resume();
    const stop = this.#timers.after(uselessSendingMs, () => this.#stream.close(constants.NGHTTP2_NO_ERROR));
    this.#stream.once("close", () => stop.cancel());
  }

  #isOver(): boolean {
    return this.#isEnded || this.#controller.signal.aborted || this.#stream.destroyed;
  }
}

function trailersOf(error: HoldfastError, requestId: string): Record<string, string> {
  const { status, message, detail } = toWireError(error, requestId);
  return {
    "grpc-status": String(status),
    "grpc-message": encodeURIComponent(message),
    [errorTrailer]: Buffer.from(detail).toString("base64"),
  };
}

function gone(): HoldfastError {
  return new HoldfastError("cancelled", "the caller is gone");
}
