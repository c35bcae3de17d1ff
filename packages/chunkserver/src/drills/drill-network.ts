import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { assert } from "@holdfast/base";
import type { CallContext, CallOptions, Listener, Network, ServedService, ServiceClient } from "@holdfast/rpc";
import type { Timers } from "@holdfast/runtime";
import type { DrillGate, GatedCall } from "./drill-gate.ts";

/** A call as this decorator sees it: messages are passed on as they are. */
type Call = (input: unknown, options: unknown) => Promise<unknown> | AsyncIterable<unknown>;

/** What a client's and a handler's options have in common. */
type Limits = Pick<CallOptions, "signal" | "timeoutMs">;

/** The network with the gate of the failure drills in front of every call, outgoing and incoming. */
export class DrillNetwork implements Network {
  readonly #network: Network;
  readonly #gate: DrillGate;
  readonly #timers: Timers;

  constructor(network: Network, gate: DrillGate, timers: Timers) {
    this.#network = network;
    this.#gate = gate;
    this.#timers = timers;
  }

  client<S extends DescService>(service: S, address: string): ServiceClient<S> {
    // Each method keeps its own type: what goes in and out is passed on unchanged.
    return this.#gated(service, this.#network.client(service, address)) as ServiceClient<S>;
  }

  listen(address: string, services: readonly ServedService[]): Promise<Listener> {
    const gated = services.map(({ service, handlers }) => ({ service, handlers: this.#gated(service, handlers) }));
    return this.#network.listen(address, gated);
  }

  close(): Promise<void> {
    return this.#network.close();
  }

  #gated(service: DescService, calls: Readonly<Record<string, unknown>>): Record<string, Call> {
    const gated: Record<string, Call> = {};
    for (const method of service.methods) {
      const inner = calls[method.localName];
      assert(typeof inner === "function", "a service has all of its methods");
      gated[method.localName] = this.#gatedMethod(method, inner.bind(calls) as Call);
    }
    return gated;
  }

  #gatedMethod({ methodKind }: DescMethod, inner: Call): Call {
    const isInputStream = methodKind === "bidi_streaming" || methodKind === "client_streaming";
    const isOutputStream = methodKind === "bidi_streaming" || methodKind === "server_streaming";
    const begin = (options: unknown): { call: GatedCall; innerOptions: Limits } => {
      const limits = (options ?? {}) as CallOptions | CallContext;
      const call = this.#gate.begin(limits, this.#timers);
      return { call, innerOptions: { ...limits, signal: call.signal } };
    };
    const inputOf = (input: unknown, call: GatedCall): unknown =>
      isInputStream ? gatedStream(input as AsyncIterable<unknown>, call) : input;
    if (isOutputStream) {
      return (input, options) => {
        const { call, innerOptions } = begin(options);
        return gatedStream(inner(inputOf(input, call), innerOptions) as AsyncIterable<unknown>, call, {
          endsCall: true,
        });
      };
    }
    return async (input, options) => {
      const { call, innerOptions } = begin(options);
      try {
        if (!call.mayPass) await call.pass();
        const output = await call.race(inner(inputOf(input, call), innerOptions) as Promise<unknown>);
        if (!call.mayPass) await call.pass();
        return output;
      } finally {
        call.end();
      }
    };
  }
}

/** A stream of which every message passes the gate. */
async function* gatedStream(
  messages: AsyncIterable<unknown>,
  call: GatedCall,
  { endsCall = false }: { readonly endsCall?: boolean } = {},
): AsyncGenerator<unknown> {
  const iterator = messages[Symbol.asyncIterator]();
  let isOver = false;
  try {
    if (!call.mayPass) await call.pass();
    for (;;) {
      const next = await call.race(iterator.next());
      if (!call.mayPass) await call.pass();
      isOver = next.done === true;
      if (isOver) return;
      yield next.value;
    }
  } finally {
    if (endsCall) call.end();
    // Whoever makes the messages may itself be waiting for something that never comes: nobody waits for it here.
    if (!isOver) iterator.return?.()?.catch(() => undefined);
  }
}
