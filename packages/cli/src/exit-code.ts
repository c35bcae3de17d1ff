import { ConnectError } from "@connectrpc/connect";
import { type ErrorKind, errorKindOfStatusCode, errorKinds, HoldfastError } from "@holdfast/base";
import { ErrorDetailSchema } from "@holdfast/proto/errors/v1/errors";

/** What the shell sees (contract.md). Only ever added to; an unknown one means failure. */
export const exitCodes = {
  ok: 0,
  other: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  denied: 5,
  noSpace: 6,
  unavailable: 7,
  partial: 8,
  checksum: 9,
  unhealthy: 12,
  interrupted: 130,
} as const;

const exitCodeByKind = {
  invalidArgument: exitCodes.usage,
  notFound: exitCodes.notFound,
  nameTaken: exitCodes.conflict,
  wouldCycle: exitCodes.conflict,
  versionConflict: exitCodes.conflict,
  notEmpty: exitCodes.conflict,
  unauthenticated: exitCodes.denied,
  denied: exitCodes.denied,
  quotaExceeded: exitCodes.noSpace,
  noSpace: exitCodes.noSpace,
  tooBusy: exitCodes.unavailable,
  notLeader: exitCodes.unavailable,
  unavailable: exitCodes.unavailable,
  deadline: exitCodes.unavailable,
  cancelled: exitCodes.interrupted,
  checksumMismatch: exitCodes.checksum,
  dataLoss: exitCodes.checksum,
  wrongCluster: exitCodes.other,
  precondition: exitCodes.conflict,
  tooLarge: exitCodes.usage,
  diskFailed: exitCodes.other,
  internal: exitCodes.other,
} as const satisfies Record<ErrorKind, number>;

/** The command line was wrong; exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Ends the command with a code that is an answer, not a failure (health: 12, partial: 8). */
export class ExitSignal extends Error {
  override readonly name = "ExitSignal";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Which code a thrown value ends the process with. */
export function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof UsageError) return exitCodes.usage;
  if (thrown instanceof ExitSignal) return thrown.code;
  return thrown instanceof HoldfastError ? exitCodeByKind[thrown.kind] : exitCodes.other;
}

/** Whatever a call threw, as the one error type; the gateway's detail wins over the transport's code. */
export function toHoldfastError(thrown: unknown): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown;
  const error = ConnectError.from(thrown);
  const detail = error.findDetails(ErrorDetailSchema)[0];
  if (detail !== undefined) {
    const kind = errorKinds[detail.kind - 1] ?? "internal";
    return new HoldfastError(kind, detail.message, { requestId: detail.requestId, cause: thrown });
  }
  const cause = error.cause;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string" && cause.code.startsWith("E")) {
    return new HoldfastError(
      "unavailable",
      `The server cannot be reached (${cause.code}). Nothing was changed by this call as far as known; try again.`,
      { cause },
    );
  }
  return new HoldfastError(errorKindOfStatusCode(error.code) ?? "internal", error.rawMessage, { cause: thrown });
}
