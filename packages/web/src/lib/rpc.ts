import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { errorKindOfStatusCode, errorKinds, HoldfastError } from "@holdfast/base";
import { DriveService, SessionService } from "@holdfast/proto/drive/v1/drive";
import { ErrorDetailSchema } from "@holdfast/proto/errors/v1/errors";

let signedOutListener: () => void = () => undefined;

/** Who is told when any call finds that the session has ended. */
export function onSignedOut(listener: () => void): void {
  signedOutListener = listener;
}

/** Tells the listener; plain HTTP calls use it too. */
export function reportSignedOut(): void {
  signedOutListener();
}

/** A Connect failure as the one error type of the page. */
export function fromConnect(thrown: unknown): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown;
  const error = ConnectError.from(thrown);
  const detail = error.findDetails(ErrorDetailSchema)[0];
  const kind = detail === undefined ? undefined : errorKinds[detail.kind - 1];
  // Unknown is what fetch reports when nothing listens.
  const nearest = error.code === Code.Unknown ? "unavailable" : errorKindOfStatusCode(error.code);
  return new HoldfastError(kind ?? nearest ?? "internal", detail?.message ?? error.rawMessage, {
    ...(detail === undefined ? {} : { requestId: detail.requestId }),
    cause: thrown,
  });
}

/**
 * A client whose unary calls fail with `HoldfastError`, and which tells when the session has ended. (An interceptor cannot do it: the
 * library wraps what it throws.) Streams are left as they are; who reads them calls `fromConnect`.
 */
export function translated<Client extends object>(client: Client, isSessionService = false): Client {
  return new Proxy(client, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== "function") return method;
      return (...args: unknown[]): unknown => {
        const answer: unknown = Reflect.apply(method, target, args);
        return answer instanceof Promise ? answer.catch((thrown: unknown) => fail(thrown, isSessionService)) : answer;
      };
    },
  });
}

function fail(thrown: unknown, isSessionService: boolean): never {
  const error = fromConnect(thrown);
  if (error.kind === "unauthenticated" && !isSessionService) reportSignedOut();
  throw error;
}

/** One transport for everything small; bytes go by plain HTTP beside it. Streams must pass `timeoutMs: 0`. */
export const transport = createConnectTransport({
  baseUrl: location.origin,
  useBinaryFormat: true,
  defaultTimeoutMs: 15_000,
});

/** Signing in and out. */
export const sessions = translated(createClient(SessionService, transport), true);
/** Files and folders. */
export const drive = translated(createClient(DriveService, transport));
