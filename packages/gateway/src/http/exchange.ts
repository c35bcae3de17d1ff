import type { IncomingMessage, ServerResponse } from "node:http";
import { HoldfastError } from "@holdfast/base";
import type { Caller, RequestScope } from "../drive/ports.ts";
import type { RequestFacts } from "../services/request-facts.ts";

/** One request with its answer, as routes see it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly facts: RequestFacts;
  readonly scope: RequestScope;
  /** Who calls. Errors: unauthenticated, unavailable. */
  readonly caller: () => Promise<Caller>;
}

/** A header that comes once; the first when it comes more often. */
export function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The body as it arrives. Asks for it first when the client waits to be asked. Errors: cancelled when the client goes away. */
export async function* bodyOf(exchange: Exchange): AsyncGenerator<Uint8Array> {
  const { request, response } = exchange;
  if (header(request, "expect")?.toLowerCase() === "100-continue") response.writeContinue();
  try {
    // Refusing a body must not tear down the connection that the refusal goes out on.
    for await (const bytes of request.iterator({ destroyOnReturn: false })) yield bytes as Uint8Array;
  } catch (cause) {
    throw new HoldfastError(
      "cancelled",
      "The connection broke before the whole body arrived. Nothing of it was stored.",
      { cause },
    );
  }
  if (!request.complete)
    throw new HoldfastError(
      "cancelled",
      "The connection broke before the whole body arrived. Nothing of it was stored.",
    );
}

/** `Content-Length`, when the request has one. Errors: invalidArgument. */
export function contentLengthOf(request: IncomingMessage): number | undefined {
  const encoding = header(request, "content-encoding");
  if (encoding !== undefined && encoding !== "identity") {
    throw new HoldfastError(
      "invalidArgument",
      "A body with Content-Encoding is not taken. Send the bytes as they are. Nothing was stored.",
    );
  }
  const text = header(request, "content-length");
  if (text === undefined) return header(request, "transfer-encoding") === undefined ? 0 : undefined;
  const length = Number(text);
  if (!Number.isSafeInteger(length) || length < 0)
    throw new HoldfastError("invalidArgument", "Content-Length is not a length. Nothing was stored.");
  return length;
}

/** An id in a path or query. Errors: invalidArgument. */
export function idOf(text: string): bigint {
  if (/^[0-9]{1,19}$/.test(text)) return BigInt(text);
  throw new HoldfastError("invalidArgument", "An id is a decimal number. Nothing was changed.");
}
