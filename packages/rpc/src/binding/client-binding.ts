import type { DescMethod, DescService, Message } from "@bufbuild/protobuf";
import { HoldfastError, toHex } from "@holdfast/base";
import type { Random } from "@holdfast/runtime";
import type { CallOptions, ServiceClient } from "../service.ts";
import type { ClientByteCall, EncodedMessage, OpenCall } from "./byte-call.ts";
import { decodeMessage, encodeMessage } from "./message-codec.ts";

/** Opens a call; never throws: what is wrong comes out of `receive`. */
export type OpenByteCall = (call: OpenCall) => ClientByteCall;

/** Binds a service's methods to a transport. */
export function bindClient<S extends DescService>(service: S, open: OpenByteCall, random: Random): ServiceClient<S> {
  const methods: Record<string, unknown> = {};
  for (const method of service.methods) {
    const path = `/${service.typeName}/${method.name}`;
    const openMethod = (options: CallOptions | undefined): ClientByteCall =>
      open({
        path,
        requestId: options?.requestId ?? toHex(random.bytes(8)),
        timeoutMs: options?.timeoutMs,
        signal: options?.signal,
      });
    methods[method.localName] = bindMethod(method, openMethod);
  }
  // One entry per method, of the shape its kind prescribes (`ClientMethod`).
  return methods as unknown as ServiceClient<S>;
}

function bindMethod(method: DescMethod, open: (options: CallOptions | undefined) => ClientByteCall): unknown {
  switch (method.methodKind) {
    case "unary":
      return async (request: Message, options?: CallOptions) => {
        const message = encodeMessage(method.input, request);
        const call = open(options);
        sendLast(call, message);
        return receiveOnly(method, call);
      };
    case "client_streaming":
      return async (requests: AsyncIterable<Message>, options?: CallOptions) => {
        const call = open(options);
        const stop = pump(method, requests, call);
        try {
          return await receiveOnly(method, call);
        } finally {
          stop();
        }
      };
    case "server_streaming":
      return (request: Message, options?: CallOptions) => {
        const message = encodeMessage(method.input, request);
        const call = open(options);
        sendLast(call, message);
        return responses(method, call, () => undefined);
      };
    case "bidi_streaming":
      return (requests: AsyncIterable<Message>, options?: CallOptions) => {
        const call = open(options);
        return responses(method, call, pump(method, requests, call));
      };
  }
}

/** Failures of sending are failures of the call: `receive` tells them. */
const toldByReceive = (_error: unknown): void => undefined;

function sendLast(call: ClientByteCall, message: EncodedMessage): void {
  call.send(message).catch(toldByReceive);
  call.finish();
}

async function receiveOnly(method: DescMethod, call: ClientByteCall): Promise<Message> {
  const first = await call.receive();
  if (first === undefined) throw new HoldfastError("unavailable", `${method.name} ended without an answer; try again`);
  if ((await call.receive()) !== undefined) {
    const error = new HoldfastError(
      "unavailable",
      `${method.name} gave more than one answer; is the other side of another version?`,
    );
    call.cancel(error);
    throw error;
  }
  return decodeAnswer(method, first, call);
}

function decodeAnswer(method: DescMethod, bytes: Uint8Array, call: ClientByteCall): Message {
  try {
    return decodeMessage(method.output, bytes);
  } catch (cause) {
    const error = new HoldfastError(
      "unavailable",
      `the answer to ${method.name} cannot be read; is the other side of another version?`,
      { cause },
    );
    call.cancel(error);
    throw error;
  }
}

/** Leaving the loop early cancels the call. */
async function* responses(method: DescMethod, call: ClientByteCall, stop: () => void): AsyncGenerator<Message> {
  let isOver = false;
  try {
    for (;;) {
      const bytes = await call.receive().catch((error: unknown) => {
        isOver = true;
        throw error;
      });
      if (bytes === undefined) {
        isOver = true;
        return;
      }
      yield decodeAnswer(method, bytes, call);
    }
  } finally {
    if (!isOver) call.cancel(new HoldfastError("cancelled", `the caller of ${method.name} wanted no more answers`));
    stop();
  }
}

/** Sends what the iterable gives, at the pace of the transport. The result stops it. */
function pump(method: DescMethod, requests: AsyncIterable<Message>, call: ClientByteCall): () => void {
  const iterator = requests[Symbol.asyncIterator]();
  let isStopped = false;
  const send = (message: EncodedMessage): Promise<void> =>
    call.send(message).catch((error: unknown) => {
      stop();
      toldByReceive(error);
    });
  const stop = (): void => {
    if (isStopped) return;
    isStopped = true;
    // A source that waits for its own next item ends when that comes; nothing waits for it.
    void iterator.return?.(undefined).catch(toldByReceive);
  };
  const run = async (): Promise<void> => {
    try {
      for (;;) {
        const next = await iterator.next();
        if (next.done === true) return call.finish();
        // Stopped or over: the rest is nobody's business.
        if (isStopped) return;
        await send(encodeMessage(method.input, next.value));
      }
    } catch (cause) {
      const sentence = `the requests of ${method.name} ended with an error`;
      call.cancel(cause instanceof HoldfastError ? cause : new HoldfastError("cancelled", sentence, { cause }));
    }
  };
  void run().catch(toldByReceive);
  return stop;
}
