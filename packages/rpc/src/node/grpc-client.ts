import { Client, credentials, Metadata, type ClientDuplexStream, type ServiceError } from "@grpc/grpc-js";
import { HoldfastError } from "@holdfast/base";
import type { Clock } from "@holdfast/runtime";
import type { ClientByteCall, EncodedMessage, OpenCall } from "../binding/byte-call.ts";
import { errorTrailer, fromWireError } from "../errors/wire-error.ts";
import { channelOptions, requestIdHeader } from "./grpc-options.ts";
import { readMessage, writeMessage } from "./message-stream.ts";

const asIs = (message: Buffer): Buffer => message;

/** A connection to one address. All kinds of methods travel as streams: on the wire they are the same. */
export class GrpcConnection {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #calls = new Set<GrpcClientCall>();

  constructor(address: string, clock: Clock) {
    this.#client = new Client(address, credentials.createInsecure(), channelOptions);
    this.#clock = clock;
  }

  /** Opens a call; what is wrong comes out of its `receive`. */
  open(call: OpenCall): ClientByteCall {
    const metadata = new Metadata();
    metadata.set(requestIdHeader, call.requestId);
    const options = call.timeoutMs === undefined ? {} : { deadline: this.#clock.wallMs() + call.timeoutMs };
    const stream = this.#client.makeBidiStreamRequest(call.path, asIs, asIs, metadata, options);
    const opened = new GrpcClientCall(stream, call.signal);
    this.#calls.add(opened);
    stream.on("status", () => this.#calls.delete(opened));
    return opened;
  }

  /** Ends all calls with `unavailable`. */
  close(): void {
    for (const call of [...this.#calls]) call.cancel(new HoldfastError("unavailable", "this process is stopping"));
    this.#client.close();
  }
}

class GrpcClientCall implements ClientByteCall {
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  /** Settles when the call is over: undefined = well. */
  readonly #outcome: Promise<HoldfastError | undefined>;
  #cancelledWith: HoldfastError | undefined;
  #isOver = false;

  constructor(stream: ClientDuplexStream<Buffer, Buffer>, signal: AbortSignal | undefined) {
    this.#stream = stream;
    const onAbort = (): void =>
      this.cancel(new HoldfastError("cancelled", "the caller gave up", { cause: signal?.reason }));
    this.#outcome = new Promise((resolve) => {
      stream.on("error", (error: ServiceError) => resolve(this.#cancelledWith ?? toError(error)));
      stream.on("status", (status) => {
        this.#isOver = true;
        signal?.removeEventListener("abort", onAbort);
        if (status.code === 0) resolve(undefined);
      });
    });
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
  }

  async send(message: EncodedMessage): Promise<void> {
    if (!this.#isOver) await writeMessage(this.#stream, joined(message));
    if (this.#isOver) throw new HoldfastError("cancelled", "the call is over");
  }

  finish(): void {
    this.#stream.end();
  }

  async receive(): Promise<Uint8Array | undefined> {
    const message = await readMessage(this.#stream);
    if (message !== undefined) return message;
    const error = await this.#outcome;
    if (error !== undefined) throw error;
    return undefined;
  }

  cancel(error: HoldfastError): void {
    this.#cancelledWith ??= error;
    this.#stream.cancel();
  }
}

function toError(error: ServiceError): HoldfastError {
  const detail = error.metadata?.get(errorTrailer)[0];
  return fromWireError(error.code, error.details, Buffer.isBuffer(detail) ? detail : undefined);
}

/** grpc-js takes one Buffer a message. */
export function joined(message: EncodedMessage): Buffer {
  const only = message[0];
  if (message.length === 1 && only !== undefined) return Buffer.from(only.buffer, only.byteOffset, only.byteLength);
  return Buffer.concat(message);
}
