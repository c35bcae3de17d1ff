/**
 * The closed list of error kinds that cross a process boundary. The same words, append-only, as
 * `holdfast.errors.v1.ErrorKind`; what each one means is said there.
 */
export const errorKinds = [
  "invalidArgument",
  "notFound",
  "nameTaken",
  "wouldCycle",
  "versionConflict",
  "notEmpty",
  "unauthenticated",
  "denied",
  "quotaExceeded",
  "noSpace",
  "tooBusy",
  "notLeader",
  "unavailable",
  "deadline",
  "cancelled",
  "checksumMismatch",
  "dataLoss",
  "wrongCluster",
  "precondition",
  "tooLarge",
  "diskFailed",
  "internal",
] as const;

/** One kind of the closed list. */
export type ErrorKind = (typeof errorKinds)[number];

/** What a `HoldfastError` may carry besides its message. */
export interface HoldfastErrorDetail {
  /** With `notLeader`: host:port of the master believed to lead. */
  readonly leaderAddress?: string;
  /** The request that failed. */
  readonly requestId?: string;
  /** For the log only; never crosses a boundary. */
  readonly cause?: unknown;
}

/**
 * The one error that may cross a boundary. `message` says what happened, what is safe and what to do, and holds no
 * secret. Inside pure code refusals are values (`Result`); this is thrown where a refusal leaves the application layer.
 */
export class HoldfastError extends Error {
  override readonly name = "HoldfastError";
  readonly kind: ErrorKind;
  readonly leaderAddress: string | undefined;
  readonly requestId: string | undefined;

  constructor(kind: ErrorKind, message: string, detail: HoldfastErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.kind = kind;
    this.leaderAddress = detail.leaderAddress;
    this.requestId = detail.requestId;
  }
}

/** Whether a thrown value is a `HoldfastError` of one of the given kinds (of any kind when none is given). */
export function isHoldfastError(thrown: unknown, ...kinds: readonly ErrorKind[]): thrown is HoldfastError {
  return thrown instanceof HoldfastError && (kinds.length === 0 || kinds.includes(thrown.kind));
}
