import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { errorKinds, HoldfastError, type ErrorKind } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import { ErrorDetailSchema, type ErrorKind as WireErrorKind } from "@holdfast/proto/errors/v1/errors";
import { requestFactsKey } from "./request-facts.ts";

/** Connect's code for each kind; a kind without one does not compile. */
export const connectCodeByKind = {
  invalidArgument: Code.InvalidArgument,
  notFound: Code.NotFound,
  nameTaken: Code.AlreadyExists,
  wouldCycle: Code.FailedPrecondition,
  versionConflict: Code.Aborted,
  notEmpty: Code.FailedPrecondition,
  unauthenticated: Code.Unauthenticated,
  denied: Code.PermissionDenied,
  quotaExceeded: Code.ResourceExhausted,
  noSpace: Code.ResourceExhausted,
  tooBusy: Code.ResourceExhausted,
  notLeader: Code.Unavailable,
  unavailable: Code.Unavailable,
  deadline: Code.DeadlineExceeded,
  cancelled: Code.Canceled,
  checksumMismatch: Code.DataLoss,
  dataLoss: Code.DataLoss,
  wrongCluster: Code.FailedPrecondition,
  precondition: Code.FailedPrecondition,
  tooLarge: Code.ResourceExhausted,
  diskFailed: Code.Unavailable,
  internal: Code.Internal,
} as const satisfies Record<ErrorKind, Code>;

/** An error as the page and the command line receive it: a code, words, and the kind in an `ErrorDetail`. */
export function toConnectError(thrown: unknown, requestId: string): ConnectError {
  if (thrown instanceof ConnectError) return thrown;
  const error = thrown instanceof HoldfastError ? thrown : internalError(thrown);
  // The words are in the order of the numbers; 0 is the unspecified one.
  const kind = (errorKinds.indexOf(error.kind) + 1) as WireErrorKind;
  const value = { kind, message: error.message, requestId };
  return new ConnectError(
    error.message,
    connectCodeByKind[error.kind],
    undefined,
    [{ desc: ErrorDetailSchema, value }],
    thrown,
  );
}

/** What the outside learns of a bug: where to look for it. */
export function internalError(cause: unknown): HoldfastError {
  return new HoldfastError(
    "internal",
    "Something went wrong on our side. What was stored is safe. Try again; if it stays, tell the request id to your administrator.",
    { cause },
  );
}

/** Turns whatever handlers throw into `ConnectError`s, and logs what is our fault. */
export function errorInterceptor(logger: Logger): Interceptor {
  return (next) => async (request) => {
    const requestId = request.contextValues.get(requestFactsKey)?.requestId ?? "";
    const mapped = (thrown: unknown): ConnectError => {
      logUnexpected(logger, thrown, requestId);
      return toConnectError(thrown, requestId);
    };
    try {
      const response = await next(request);
      if (!response.stream) return response;
      return { ...response, message: mappedStream(response.message, mapped) };
    } catch (thrown) {
      throw mapped(thrown);
    }
  };
}

/** Logs a thrown value that is not an expected refusal. */
export function logUnexpected(logger: Logger, thrown: unknown, requestId: string): void {
  if (thrown instanceof ConnectError || (thrown instanceof HoldfastError && thrown.kind !== "internal")) return;
  const reason = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  logger.error("gateway.request_failed", { requestId, reason });
}

async function* mappedStream<T>(
  messages: AsyncIterable<T>,
  mapped: (thrown: unknown) => ConnectError,
): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (thrown) {
    throw mapped(thrown);
  }
}
