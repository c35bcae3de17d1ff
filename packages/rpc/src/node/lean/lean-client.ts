import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from "node:http2";
import { HoldfastError } from "@holdfast/base";
import type { Timers } from "@holdfast/runtime";
import type { ClientByteCall, EncodedMessage, OpenCall } from "../../binding/byte-call.ts";
import { grpcStatus } from "../../errors/code-table.ts";
import { errorTrailer, fromWireError } from "../../errors/wire-error.ts";
import type { PeerRole } from "../../peer-identity.ts";
import { requestIdHeader } from "../grpc-options.ts";
import type { NetworkSecurity } from "../network-security.ts";
import { MessageChannel } from "./message-channel.ts";
import { http2Settings, sessionMemoryMb, tendSession } from "./session-settings.ts";
import { formatTimeout } from "./timeout-header.ts";
import { flawOfChain, flawOfServer } from "./tls-peer.ts";

/** A host that is gone from the network answers nothing; the operating system alone would wait for minutes. */
const connectMsMax = 5_000;

/** gRPC to one address straight over `node:http2`: for bytes, where grpc-js costs half of everything. */
export class LeanConnection {
  readonly #address: string;
  readonly #timers: Timers;
  readonly #secured: SecuredPeer | undefined;
  readonly #calls = new Set<LeanClientCall>();
  #session: ClientHttp2Session | undefined;

  /** With `secured` over TLS 1.3, to a peer of this role only. */
  constructor(address: string, timers: Timers, secured?: SecuredPeer) {
    this.#address = address;
    this.#timers = timers;
    this.#secured = secured;
  }

  /** Opens a call; what is wrong comes out of its `receive`. */
  open(open: OpenCall): ClientByteCall {
    const session = this.#connected();
    const stream = session.request({
      ":method": "POST",
      ":path": open.path,
      "content-type": "application/grpc+proto",
      te: "trailers",
      [requestIdHeader]: open.requestId,
      ...(open.timeoutMs === undefined ? {} : { "grpc-timeout": formatTimeout(open.timeoutMs) }),
    });
    const call = new LeanClientCall(stream, open, this.#timers);
    this.#calls.add(call);
    stream.on("close", () => this.#calls.delete(call));
    return call;
  }

  /** Ends all calls with `unavailable`. */
  close(): void {
    for (const call of [...this.#calls]) call.cancel(new HoldfastError("unavailable", "this process is stopping"));
    this.#session?.close();
    this.#session = undefined;
  }

  #connected(): ClientHttp2Session {
    const current = this.#session;
    if (current !== undefined && !current.closed && !current.destroyed) return current;
    const session = this.#connect();
    const overdue = this.#timers.after(connectMsMax, () =>
      session.destroy(new Error("the connection was not made in time")),
    );
    session.on("connect", () => {
      overdue.cancel();
      tendSession(session, this.#timers);
    });
    session.on("close", () => overdue.cancel());
    // The calls on it hear of it through their streams; the next call connects anew.
    session.on("error", () => session.destroy());
    session.on("goaway", () => session.close());
    this.#session = session;
    return session;
  }

  #connect(): ClientHttp2Session {
    const options = { settings: http2Settings, maxSessionMemory: sessionMemoryMb };
    if (this.#secured === undefined) return connect(`http://${this.#address}`, options);
    const { security, role } = this.#secured;
    const credentials = security.current();
    if (credentials === undefined)
      throw new HoldfastError(
        "unavailable",
        "This process has no certificate of the cluster yet; it is asking for one.",
      );
    const { authority, own } = credentials;
    const identity = own === undefined ? {} : { cert: own.certificate, key: own.privateKey };
    return connect(`https://${this.#address}`, {
      ...{ ...options, ...identity, ca: authority, minVersion: "TLSv1.3" },
      checkServerIdentity: (_host, shown) => flawOfServer(shown, { clusterId: security.clusterId, role }),
    });
  }
}

/** Who is expected at the other end. */
export interface SecuredPeer {
  readonly security: NetworkSecurity;
  readonly role: PeerRole;
}

class LeanClientCall implements ClientByteCall {
  readonly #stream: ClientHttp2Stream;
  readonly #channel: MessageChannel;
  readonly #release: (() => void)[] = [];
  #error: HoldfastError | undefined;
  #isOver = false;
  readonly #closed: Promise<void>;

  constructor(stream: ClientHttp2Stream, open: OpenCall, timers: Timers) {
    this.#stream = stream;
    this.#channel = new MessageChannel(stream, (error) => this.cancel(error));
    let status: HoldfastError | "ok" | undefined;
    stream.on("response", (headers) => {
      status = readStatus(headers);
      // Something else than a gRPC server: its page is not read as messages.
      if (headers[":status"] !== 200) this.cancel(fromWireError(grpcStatus.unavailable, "no gRPC server", undefined));
    });
    stream.on("trailers", (trailers) => {
      status = readStatus(trailers);
    });
    stream.on("end", () => {
      // The answer is complete and taken: what we would still send is of no use.
      if (!stream.writableEnded && !stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR);
    });
    let reason = "the connection broke";
    stream.on("error", (error) => {
      reason = error.message;
      this.#error ??= disbeliefIn(error);
    });
    this.#closed = new Promise((resolve) => {
      stream.on("close", () => {
        if (status !== "ok") this.#error ??= status ?? fromWireError(grpcStatus.unavailable, reason, undefined);
        this.#end();
        resolve();
      });
    });
    this.#watchCaller(open, timers);
  }

  async send(message: EncodedMessage): Promise<void> {
    if (!this.#isOver) await this.#channel.send(message);
    if (this.#isOver) throw new HoldfastError("cancelled", "the call is over");
  }

  finish(): void {
    if (!this.#isOver) this.#stream.end();
  }

  async receive(): Promise<Uint8Array | undefined> {
    const message = await this.#channel.receive();
    if (message !== undefined) return message;
    if (!this.#isOver) await this.#closed;
    if (this.#error !== undefined) throw this.#error;
    return undefined;
  }

  cancel(error: HoldfastError): void {
    if (this.#isOver) return;
    this.#error = error;
    this.#end();
    this.#channel.abandon();
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #end(): void {
    this.#isOver = true;
    for (const release of this.#release.splice(0)) release();
  }

  #watchCaller({ signal, timeoutMs }: OpenCall, timers: Timers): void {
    if (timeoutMs !== undefined) {
      const sentence = "no answer came in time; the request may or may not have been carried out";
      const timer = timers.after(timeoutMs, () => this.cancel(new HoldfastError("deadline", sentence)));
      this.#release.push(() => timer.cancel());
    }
    if (signal === undefined) return;
    const onAbort = (): void =>
      this.cancel(new HoldfastError("cancelled", "the caller gave up", { cause: signal.reason }));
    this.#release.push(() => signal.removeEventListener("abort", onAbort));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  }
}

/** What the response's headers or trailers say about the outcome; undefined = nothing yet. */
function readStatus(headers: IncomingHttpHeaders): HoldfastError | "ok" | undefined {
  const status = headers["grpc-status"];
  if (status === undefined) return undefined;
  if (status === "0") return "ok";
  const detail = headers[errorTrailer];
  const message = String(headers["grpc-message"] ?? "");
  return fromWireError(Number(status), message, typeof detail === "string" ? Buffer.from(detail, "base64") : undefined);
}

/** OpenSSL's codes for chains that do not end at our authority, or are out of time. */
const chainCode = /^(CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_)/;

/** Who was reached is not who was meant: said in words, because nothing else would tell. */
function disbeliefIn(error: Error): HoldfastError | undefined {
  // A stream that waited for its connection gets the connection's error as the cause of its own.
  for (const each of [error, error.cause]) {
    if (each instanceof HoldfastError) return each;
    const code = each instanceof Error && "code" in each ? String(each.code) : "";
    if (chainCode.test(code))
      return new HoldfastError("unavailable", `The other side is not believed. ${flawOfChain(code)}`);
  }
  return undefined;
}
