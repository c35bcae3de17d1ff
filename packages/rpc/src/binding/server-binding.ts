import type { DescMethod, Message } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import type { Counter, Metrics } from "@holdfast/observability";
import type { Clock } from "@holdfast/runtime";
import { toHoldfastError, type IncidentPorts } from "../errors/wire-error.ts";
import type { CallContext, ServedService } from "../service.ts";
import type { ServerByteCall } from "./byte-call.ts";
import { decodeMessage, encodeMessage } from "./message-codec.ts";

type Unary = (request: Message, context: CallContext) => Promise<Message>;
type ServerStreaming = (request: Message, context: CallContext) => AsyncIterable<Message>;
type ClientStreaming = (requests: AsyncIterable<Message>, context: CallContext) => Promise<Message>;
type BidiStreaming = (requests: AsyncIterable<Message>, context: CallContext) => AsyncIterable<Message>;

/** What serving needs besides the handlers. */
export interface ServerPorts extends IncidentPorts {
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Answers one call; never throws. */
export type AnswerCall = (call: ServerByteCall) => Promise<void>;

/** Limits what one server does at a time. */
export class CallLimit {
  readonly #callsMax: number;
  #callCount = 0;

  constructor(callsMax: number) {
    this.#callsMax = callsMax;
  }

  /** Whether one more may begin; then `leave` must follow. */
  tryEnter(): boolean {
    if (this.#callCount >= this.#callsMax) return false;
    this.#callCount++;
    return true;
  }

  leave(): void {
    this.#callCount--;
  }
}

/** One answering function per method path ("/package.Service/Method"). */
export function bindServices(
  services: readonly ServedService[],
  ports: ServerPorts,
  limit: CallLimit,
): ReadonlyMap<string, AnswerCall> {
  const answers = new Map<string, AnswerCall>();
  for (const { service, handlers } of services) {
    for (const method of service.methods) {
      const path = `/${service.typeName}/${method.name}`;
      const answer = bindHandler(method, handlers[method.localName]);
      answers.set(path, measured(path, limited(path, answer, limit), ports));
    }
  }
  return answers;
}

type Answer = (call: ServerByteCall) => Promise<void>;

function limited(path: string, answer: Answer, limit: CallLimit): Answer {
  return async (call) => {
    if (!limit.tryEnter())
      throw new HoldfastError(
        "tooBusy",
        `too many requests at once for ${path}; nothing was done, try again in a moment`,
      );
    try {
      await answer(call);
    } finally {
      limit.leave();
    }
  };
}

function measured(path: string, answer: Answer, ports: ServerPorts): AnswerCall {
  const labels = { method: path.slice(1) };
  const duration = ports.metrics.histogram({
    name: "holdfast_rpc_server_call_duration_ms",
    help: "Time from a call's start to its end, in ms",
    labels,
  });
  const counters = new Map<string, Counter>();
  const count = (kind: string): void => {
    let counter = counters.get(kind);
    if (counter === undefined) {
      const name = "holdfast_rpc_server_calls_total";
      counter = ports.metrics.counter({ name, help: "Calls answered, by outcome", labels: { ...labels, kind } });
      counters.set(kind, counter);
    }
    counter.add();
  };
  return async (call) => {
    const startMs = ports.clock.monotonicMs();
    try {
      await answer(call);
      call.end();
      count("ok");
    } catch (thrown) {
      // When the caller is gone, what its handler stumbled over afterwards tells nothing.
      const error =
        call.signal.aborted && !(thrown instanceof HoldfastError)
          ? new HoldfastError("cancelled", "the caller gave up", { cause: thrown })
          : toHoldfastError(thrown, ports, { method: path, requestId: call.requestId });
      call.end(error);
      count(error.kind);
    }
    duration.observe(ports.clock.monotonicMs() - startMs);
  };
}

function bindHandler(method: DescMethod, handler: unknown): Answer {
  // `serve` proved that each handler has the type of its method; here the kinds are taken apart again.
  switch (method.methodKind) {
    case "unary":
      return async (call) => {
        const request = await receiveOnly(method, call);
        await call.send(encodeMessage(method.output, await (handler as Unary)(request, call)));
      };
    case "server_streaming":
      return async (call) => {
        const request = await receiveOnly(method, call);
        await sendAll(method, (handler as ServerStreaming)(request, call), call);
      };
    case "client_streaming":
      return async (call) => {
        const response = await (handler as ClientStreaming)(requestsOf(method, call), call);
        await call.send(encodeMessage(method.output, response));
      };
    case "bidi_streaming":
      return (call) => sendAll(method, (handler as BidiStreaming)(requestsOf(method, call), call), call);
  }
}

async function receiveOnly(method: DescMethod, call: ServerByteCall): Promise<Message> {
  const bytes = await call.receive();
  if (bytes === undefined) throw new HoldfastError("invalidArgument", `${method.name} came without a request`);
  return decodeMessage(method.input, bytes);
}

async function* requestsOf(method: DescMethod, call: ServerByteCall): AsyncGenerator<Message> {
  for (;;) {
    const bytes = await call.receive();
    if (bytes === undefined) return;
    yield decodeMessage(method.input, bytes);
  }
}

async function sendAll(method: DescMethod, responses: AsyncIterable<Message>, call: ServerByteCall): Promise<void> {
  for await (const response of responses) await call.send(encodeMessage(method.output, response));
}
