import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import { must } from "@holdfast/base";
import type { Gateway } from "../build-gateway.ts";
import type { Caller, RequestScope } from "../drive/ports.ts";
import { wishedRequestId } from "../drive/request-id.ts";

/** What the HTTP layer knows of a request before anyone looks into its body. */
export interface RequestFacts {
  /** 32 hex digits; answered as `X-Request-Id`. */
  readonly requestId: string;
  /** From the cookie or the Bearer header. */
  readonly token: string | undefined;
  /** Address of the other end of the connection. */
  readonly ip: string;
  /** User agent, or empty. */
  readonly client: string;
  /** `Set-Cookie` value that hands a session to a browser. */
  readonly cookieFor: (token: string, idleMs: number) => string;
  /** `Set-Cookie` value that takes it away. */
  readonly cookieGone: () => string;
  /** Puts the idle limit of a cookie session off. */
  readonly onSignedIn: (caller: Caller) => void;
}

/** Carries the facts from the HTTP layer to Connect handlers. */
export const requestFactsKey = createContextKey<RequestFacts | undefined>(undefined);

/** The facts of a Connect call. */
export function factsOf(context: HandlerContext): RequestFacts {
  return must(context.values.get(requestFactsKey), "the HTTP layer sets the facts of every call");
}

/** The scope of a Connect call. `wishedId`: the request id the caller keeps over its retries, when it sent one. Errors: invalidArgument. */
export function scopeOf(context: HandlerContext, wishedId = ""): RequestScope {
  return { requestId: wishedRequestId(wishedId) ?? factsOf(context).requestId, signal: context.signal };
}

/** Who calls. Errors: unauthenticated, unavailable. */
export async function callerOf(gateway: Gateway, context: HandlerContext): Promise<Caller> {
  return signedIn(gateway, factsOf(context), scopeOf(context));
}

/** Who sends a request. Errors: unauthenticated, unavailable. */
export async function signedIn(gateway: Gateway, facts: RequestFacts, scope: RequestScope): Promise<Caller> {
  const caller = await gateway.sessions.authenticate(facts.token, scope);
  facts.onSignedIn(caller);
  return caller;
}
