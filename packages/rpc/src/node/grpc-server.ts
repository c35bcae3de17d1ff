import { Metadata, Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { HoldfastError, toHex } from "@holdfast/base";
import type { Timers } from "@holdfast/runtime";
import type { EncodedMessage, ServerByteCall } from "../binding/byte-call.ts";
import { bindServices, CallLimit, type AnswerCall, type ServerPorts } from "../binding/server-binding.ts";
import { errorTrailer, toWireError } from "../errors/wire-error.ts";
import type { Listener } from "../network.ts";
import type { ServedService } from "../service.ts";
import { joined } from "./grpc-client.ts";
import type { NetworkSecurity } from "./network-security.ts";
import { raiseServerWindows, requestIdHeader, serverOptions } from "./grpc-options.ts";
import { readMessage, writeMessage } from "./message-stream.ts";

const asIs = (message: Buffer): Buffer => message;
/** How long answers to calls that were ended by `close` may take to leave. */
const lastAnswersMs = 200;

/** What a gRPC server needs. */
export interface GrpcServerOptions {
  readonly address: string;
  readonly services: readonly ServedService[];
  readonly ports: ServerPorts & { readonly timers: Timers };
  readonly callsMax: number;
  /** Who may come in; absent = everybody, in the clear. */
  readonly security?: NetworkSecurity;
}

/** Serves on host:port. Errors: `precondition` when it cannot be listened on. */
export async function listenGrpc(options: GrpcServerOptions): Promise<Listener> {
  const { ports } = options;
  const server = new Server(serverOptions);
  const answers = bindServices(options.services, ports, new CallLimit(options.callsMax));
  const openCalls = new Set<GrpcServerCall>();
  for (const { service } of options.services) {
    const definition = service.methods.map(
      (method) => [method.localName, definitionOf(`/${service.typeName}/${method.name}`)] as const,
    );
    const handlers = definition.map(
      ([name, { path }]) => [name, handlerOf(answers.get(path), openCalls, ports)] as const,
    );
    server.addService(Object.fromEntries(definition), Object.fromEntries(handlers));
  }
  const port = await bind(server, options.address);
  raiseServerWindows(server, ports.logger);
  const host = options.address.slice(0, options.address.lastIndexOf(":"));
  let closing: Promise<void> | undefined;
  return {
    address: `${host}:${port}`,
    close: (graceMs = 0) => {
      closing ??= closeServer(server, openCalls, { graceMs, timers: ports.timers });
      return closing;
    },
  };
}

function definitionOf(path: string) {
  return {
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
}

function bind(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (cause, port) => {
      if (cause === null) resolve(port);
      else reject(new HoldfastError("precondition", `cannot listen on ${address}; choose a free port`, { cause }));
    });
  });
}

function handlerOf(answer: AnswerCall | undefined, openCalls: Set<GrpcServerCall>, ports: ServerPorts) {
  return (stream: ServerDuplexStream<Buffer, Buffer>): void => {
    if (answer === undefined) throw new Error("invariant broken: every served method was bound");
    const given = stream.metadata.get(requestIdHeader)[0];
    const call = new GrpcServerCall(
      stream,
      typeof given === "string" && given !== "" ? given : toHex(ports.random.bytes(8)),
    );
    openCalls.add(call);
    answer(call).then(
      () => openCalls.delete(call),
      (error: unknown) => ports.logger.error("rpc.answer_failed", { message: String(error) }),
    );
  };
}

/** New calls are refused at once; those that run get `graceMs`, then `unavailable`. */
async function closeServer(
  server: Server,
  openCalls: ReadonlySet<GrpcServerCall>,
  wait: { readonly graceMs: number; readonly timers: Timers },
): Promise<void> {
  const allEnded = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  const endCalls = (): void => {
    for (const call of openCalls) call.endByServer();
  };
  const calls = wait.timers.after(wait.graceMs, endCalls);
  const all = wait.timers.after(wait.graceMs + lastAnswersMs, () => server.forceShutdown());
  await allEnded;
  calls.cancel();
  all.cancel();
}

class GrpcServerCall implements ServerByteCall {
  readonly requestId: string;
  readonly peer: string;
  readonly #stream: ServerDuplexStream<Buffer, Buffer>;
  readonly #controller = new AbortController();
  #isEnded = false;

  constructor(stream: ServerDuplexStream<Buffer, Buffer>, requestId: string) {
    this.#stream = stream;
    this.requestId = requestId;
    this.peer = stream.getPeer();
    const abort = (): void => {
      if (!this.#isEnded) this.#controller.abort();
    };
    stream.on("cancelled", abort);
    // A broken connection shows as an error or a close; the signal tells the handler either way.
    stream.on("error", abort);
    stream.on("close", abort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async receive(): Promise<Uint8Array | undefined> {
    const message = await readMessage(this.#stream);
    if (message === undefined && this.#isOver()) throw gone();
    return message;
  }

  async send(message: EncodedMessage): Promise<void> {
    if (this.#isOver()) throw gone();
    await writeMessage(this.#stream, joined(message));
    if (this.#isOver()) throw gone();
  }

  end(error?: HoldfastError): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#stream.cancelled || this.#stream.destroyed) return;
    if (error === undefined) {
      this.#stream.end();
      return;
    }
    const { status, message, detail } = toWireError(error, this.requestId);
    const metadata = new Metadata();
    metadata.set(errorTrailer, Buffer.from(detail));
    this.#stream.emit("error", { code: status, details: message, metadata });
  }

  /** The server closes: the caller may try elsewhere. */
  endByServer(): void {
    this.end(new HoldfastError("unavailable", "the server is stopping; try another one or try again in a moment"));
    this.#controller.abort();
  }

  #isOver(): boolean {
    return this.#controller.signal.aborted || this.#stream.cancelled;
  }
}

function gone(): HoldfastError {
  return new HoldfastError("cancelled", "the caller is gone");
}
