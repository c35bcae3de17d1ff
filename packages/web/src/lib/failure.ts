import { errorKinds, HoldfastError, isHoldfastError, type ErrorKind } from "@holdfast/base";

/** What a person is told: what happened, and what is safe and what to do. */
export interface Failure {
  readonly kind: ErrorKind;
  readonly title: string;
  readonly advice: string;
  /** Finds the request in the logs; empty when there is none. */
  readonly requestId: string;
}

const advice: Partial<Record<ErrorKind, string>> = {
  notFound: "It may have been moved or deleted in the meantime. Nothing else changed.",
  nameTaken: "Nothing was changed. Choose another name.",
  wouldCycle: "A folder cannot go into itself. Nothing was moved.",
  versionConflict: "It changed while you looked at it. Look again, then repeat.",
  notEmpty: "Nothing was deleted.",
  unauthenticated: "Your files are safe. Sign in again to go on.",
  denied: "Ask an administrator if you need this.",
  quotaExceeded: "Nothing was lost. Free some space and try again.",
  noSpace: "What is stored is safe. An administrator needs to add space.",
  tooBusy: "Nothing was lost. Try again in a moment.",
  notLeader: "Your files are safe. The cluster is choosing a leader; try again in a moment.",
  unavailable: "Your files are safe. This page keeps trying.",
  deadline: "It took too long; it may still happen. Your files are safe.",
  checksumMismatch: "The damaged copy was refused. Try again.",
  dataLoss: "No good copy answered in time. An administrator should look at the admin page.",
  tooLarge: "Nothing was stored.",
  diskFailed: "What is stored elsewhere is safe. Try again in a moment.",
};

const titles: Partial<Record<ErrorKind, string>> = {
  unavailable: "The server cannot be reached",
  deadline: "The server did not answer in time",
  internal: "Something went wrong on the server",
};

/** Turns anything thrown into words for people. Server messages are kept: they are written to be read. */
export function explainFailure(thrown: unknown): Failure {
  if (!isHoldfastError(thrown)) {
    return {
      kind: "internal",
      title: "Something went wrong on this page",
      advice: "Your files are safe. Reload the page.",
      requestId: "",
    };
  }
  const title = titles[thrown.kind] ?? (thrown.message === "" ? "That did not work" : thrown.message);
  return { kind: thrown.kind, title, advice: advice[thrown.kind] ?? "", requestId: thrown.requestId ?? "" };
}

const kindByStatus: Readonly<Record<number, ErrorKind>> = {
  0: "unavailable",
  400: "invalidArgument",
  401: "unauthenticated",
  403: "denied",
  404: "notFound",
  408: "deadline",
  409: "nameTaken",
  412: "precondition",
  413: "tooLarge",
  422: "checksumMismatch",
  429: "tooBusy",
  500: "internal",
  502: "unavailable",
  503: "unavailable",
  504: "deadline",
  507: "noSpace",
};

/** The error of a plain HTTP answer: its JSON body's `kind` and `message` when they are there, else the status. */
export function failureFromHttp(status: number, body: string): HoldfastError {
  const told = parseBody(body);
  const kind = told.kind ?? kindByStatus[status] ?? (status >= 500 ? "unavailable" : "invalidArgument");
  const message = told.message ?? (status === 0 ? "The connection broke." : `The server answered ${status}.`);
  return new HoldfastError(kind, message);
}

function parseBody(body: string): { kind?: ErrorKind; message?: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return {};
  }
  if (typeof parsed !== "object" || parsed === null) return {};
  const outer = parsed as Record<string, unknown>;
  const fields = (typeof outer["error"] === "object" && outer["error"] !== null ? outer["error"] : outer) as Record<
    string,
    unknown
  >;
  const kind = errorKinds.find((known) => known === fields["kind"]);
  const message = fields["message"];
  return { ...(kind === undefined ? {} : { kind }), ...(typeof message === "string" ? { message } : {}) };
}

/** Whether the same request may succeed later without the person doing anything. */
export function isRetryable(thrown: unknown): boolean {
  return isHoldfastError(
    thrown,
    "unavailable",
    "deadline",
    "tooBusy",
    "notLeader",
    "checksumMismatch",
    "diskFailed",
    "internal",
  );
}
