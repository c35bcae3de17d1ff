import type { HoldfastError } from "@holdfast/base";
import type { PeerIdentity } from "../peer-identity.ts";

/** One message in pieces that are sent one after another, so that large data needs no copy. */
export type EncodedMessage = readonly Uint8Array[];

/**
 * The caller's end of one call, in encoded messages: what a transport (gRPC, HTTP/2, simulator) provides and what the
 * four kinds of methods are bound to. Calls to `send` do not overlap, nor do calls to `receive`.
 */
export interface ClientByteCall {
  /** Settles when the transport has room for more. Rejects when the call is over. */
  send(message: EncodedMessage): Promise<void>;
  /** No more messages from here. */
  finish(): void;
  /** The next message; undefined when the call ended well. Rejects with the call's `HoldfastError`. */
  receive(): Promise<Uint8Array | undefined>;
  /** Ends the call; `receive` rejects with this error unless the call was over. Idempotent. */
  cancel(error: HoldfastError): void;
}

/** The server's end of one call, in encoded messages. */
export interface ServerByteCall {
  /** Aborts when the caller gave up, the deadline passed, the connection broke or the server closes. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  readonly peer: string;
  readonly caller?: PeerIdentity | undefined;
  /** The next message; undefined when the caller finished. Rejects with `cancelled` when the call is over. */
  receive(): Promise<Uint8Array | undefined>;
  /** Settles when the transport has room for more. Rejects with `cancelled` when the call is over. */
  send(message: EncodedMessage): Promise<void>;
  /** Ends the call, well or with an error. Idempotent; the first end counts. */
  end(error?: HoldfastError): void;
}

/** How a call is opened on a transport. */
export interface OpenCall {
  /** "/package.Service/Method". */
  readonly path: string;
  readonly requestId: string;
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A message that is larger is refused with `tooLarge` on the sending side already. */
export const messageBytesMax = 16 * 1024 * 1024;

/** Bytes of all pieces. */
export function sizeOf(message: EncodedMessage): number {
  let size = 0;
  for (const piece of message) size += piece.length;
  return size;
}
