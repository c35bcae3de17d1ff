import type { ServerResponse } from "node:http";
import { HoldfastError, type ErrorKind } from "@holdfast/base";
import { internalError } from "../services/connect-errors.ts";

/** The status of each kind; a kind without one does not compile. docs/http-api.md lists them. */
export const statusByKind = {
  invalidArgument: 400,
  notFound: 404,
  nameTaken: 409,
  wouldCycle: 409,
  versionConflict: 409,
  notEmpty: 409,
  unauthenticated: 401,
  denied: 403,
  quotaExceeded: 507,
  noSpace: 507,
  tooBusy: 429,
  notLeader: 503,
  unavailable: 503,
  deadline: 504,
  cancelled: 499,
  checksumMismatch: 422,
  dataLoss: 500,
  wrongCluster: 500,
  precondition: 412,
  tooLarge: 413,
  diskFailed: 503,
  internal: 500,
} as const satisfies Record<ErrorKind, number>;

/** Any thrown value as the error the outside learns. */
export function outsideError(thrown: unknown): HoldfastError {
  return thrown instanceof HoldfastError ? thrown : internalError(thrown);
}

/** Answers an error as `{kind, message, requestId}`. Does nothing when an answer has begun. */
export function sendError(response: ServerResponse, thrown: unknown, requestId: string): void {
  if (response.headersSent || response.destroyed) return;
  const error = outsideError(thrown);
  const status = statusByKind[error.kind];
  if (status === 429 || status === 503) response.setHeader("Retry-After", "1");
  sendJson(response, status, { kind: error.kind, message: error.message, requestId });
}

const headersOfFiles = ["Content-Disposition", "Last-Modified", "Accept-Ranges", "Content-Encoding"];

/** Answers a small JSON document that nobody may keep. */
export function sendJson(response: ServerResponse, status: number, body: Readonly<Record<string, unknown>>): void {
  for (const name of headersOfFiles) response.removeHeader(name);
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": bytes.length,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
  });
  response.end(bytes);
}
