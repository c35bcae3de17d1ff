import { Agent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as TlsAgent, request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type ErrorKind, errorKinds, HoldfastError } from "@holdfast/base";
import type { Profile } from "../profile.ts";

const agents = {
  "http:": new Agent({ keepAlive: true, maxSockets: 64 }),
  "https:": new TlsAgent({ keepAlive: true, maxSockets: 64 }),
};
const idleTimeoutMs = 60_000;

/** A request for bytes beside the Connect calls (docs/http-api.md). */
export interface BytesRequest {
  readonly method: "GET" | "PUT";
  /** From "/api" on, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whole in memory, or streamed. */
  readonly body?: Uint8Array | Readable;
  readonly signal?: AbortSignal;
}

/** Sends it. Resolves with a response of status 2xx whose body the caller must consume; else throws `HoldfastError`. */
export async function sendBytes(profile: Profile, request: BytesRequest): Promise<IncomingMessage> {
  const url = new URL(request.path, profile.server);
  const isTls = url.protocol === "https:";
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = (isTls ? httpsRequest : httpRequest)(url, {
      method: request.method,
      agent: isTls ? agents["https:"] : agents["http:"],
      headers: { Authorization: `Bearer ${profile.token}`, ...lengthOf(request.body), ...request.headers },
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    const fail = (cause: NodeJS.ErrnoException): void => {
      reject(
        request.signal?.aborted === true
          ? new HoldfastError("cancelled", "Interrupted. What was finished stays; nothing is half-done.", { cause })
          : new HoldfastError(
              "unavailable",
              `The connection to the server broke (${cause.code ?? cause.message}). Try again.`,
              { cause },
            ),
      );
    };
    outgoing.setTimeout(idleTimeoutMs, () => outgoing.destroy(new Error("no bytes moved for 60 s")));
    outgoing.once("response", resolve);
    outgoing.once("error", fail);
    if (request.body === undefined || request.body instanceof Uint8Array) outgoing.end(request.body);
    else pipeline(request.body, outgoing).catch(fail);
  });
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return response;
  throw errorFromBody(status, await readAll(response));
}

function lengthOf(body: BytesRequest["body"]): Record<string, string> {
  return body instanceof Uint8Array ? { "Content-Length": String(body.length) } : {};
}

/** The whole body as text. */
export async function readAll(response: IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  for await (const part of response) text += part as string;
  return text;
}

function errorFromBody(status: number, body: string): HoldfastError {
  try {
    const parsed = JSON.parse(body) as { kind?: string; message?: string; requestId?: string };
    const kind = errorKinds.find((known) => known === parsed.kind);
    if (kind !== undefined) {
      return new HoldfastError(
        kind,
        parsed.message ?? kind,
        parsed.requestId === undefined ? {} : { requestId: parsed.requestId },
      );
    }
  } catch {
    // Not Holdfast's own words (a proxy's page, say): the status has to do.
  }
  const kind: ErrorKind =
    status === 401 ? "unauthenticated" : status === 404 ? "notFound" : status >= 500 ? "unavailable" : "internal";
  return new HoldfastError(kind, `The server answered with HTTP ${status}.`);
}
