import type { DescMethod, DescService, MessageShape } from "@bufbuild/protobuf";
import type { PeerIdentity } from "./peer-identity.ts";

/** What a handler knows about its call. */
export interface CallContext {
  /** Aborts when the caller gave up, its deadline passed, or the connection broke. */
  readonly signal: AbortSignal;
  /** Follows a request through all processes and logs. */
  readonly requestId: string;
  /** host:port of the caller as the network saw it; empty when unknown. */
  readonly peer: string;
  /** Who the caller is, proven by its certificate; undefined on a plain network, and for calls that are open to anybody. */
  readonly caller?: PeerIdentity | undefined;
}

/** How a call is made. */
export interface CallOptions {
  /** Gives up the call. */
  readonly signal?: AbortSignal;
  /** Whole duration of the call; undefined = no limit (only for streams). */
  readonly timeoutMs?: number;
  /** Kept over retries and hops; made by the channel when absent. */
  readonly requestId?: string;
}

type Input<M extends DescMethod> = MessageShape<M["input"]>;
type Output<M extends DescMethod> = MessageShape<M["output"]>;

/** A method as its server writes it: streams are async iterables, refusals are thrown `HoldfastError`s. */
export type MethodHandler<M extends DescMethod> = M["methodKind"] extends "unary"
  ? (request: Input<M>, context: CallContext) => Promise<Output<M>>
  : M["methodKind"] extends "server_streaming"
    ? (request: Input<M>, context: CallContext) => AsyncIterable<Output<M>>
    : M["methodKind"] extends "client_streaming"
      ? (requests: AsyncIterable<Input<M>>, context: CallContext) => Promise<Output<M>>
      : (requests: AsyncIterable<Input<M>>, context: CallContext) => AsyncIterable<Output<M>>;

/** A service as its server writes it: one handler a method, written once for gRPC and for the simulator. */
export type ServiceHandlers<S extends DescService> = {
  readonly [K in keyof S["method"]]: MethodHandler<S["method"][K]>;
};

/** A method as its client calls it. Calls reject with `HoldfastError` and nothing else. */
export type ClientMethod<M extends DescMethod> = M["methodKind"] extends "unary"
  ? (request: Input<M>, options?: CallOptions) => Promise<Output<M>>
  : M["methodKind"] extends "server_streaming"
    ? (request: Input<M>, options?: CallOptions) => AsyncIterable<Output<M>>
    : M["methodKind"] extends "client_streaming"
      ? (requests: AsyncIterable<Input<M>>, options?: CallOptions) => Promise<Output<M>>
      : (requests: AsyncIterable<Input<M>>, options?: CallOptions) => AsyncIterable<Output<M>>;

/** A service as its client calls it. */
export type ServiceClient<S extends DescService> = {
  readonly [K in keyof S["method"]]: ClientMethod<S["method"][K]>;
};

/** A service with its handlers, ready to be served. Made by `serve(...)`. */
export interface ServedService {
  readonly service: DescService;
  // The handlers' types are proven by `serve`; behind it they are looked up by name.
  readonly handlers: Readonly<Record<string, unknown>>;
}

/** Binds handlers to their service; the types agree or this does not compile. */
export function serve<S extends DescService>(service: S, handlers: ServiceHandlers<S>): ServedService {
  return { service, handlers: handlers as unknown as Readonly<Record<string, unknown>> };
}
