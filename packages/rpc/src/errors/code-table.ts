import type { ErrorKind } from "@holdfast/base";

/** Status codes of the gRPC protocol. Source: https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
export const grpcStatus = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

/**
 * What a caller may do with the same request id after an error of a kind:
 * `never` = the same answer would come again; `later` = the same place, after a pause; `elsewhere` = another server at once.
 */
export type RetryClass = "never" | "later" | "elsewhere";

/** How a kind travels. */
interface ErrorCode {
  /** The gRPC status that other gRPC clients see. */
  readonly status: number;
  /** Number in `holdfast.errors.v1.ErrorKind`. */
  readonly wireKind: number;
  readonly retry: RetryClass;
}

/** The one table of error kinds on the wire; a kind without a row does not compile. */
export const codeByKind = {
  invalidArgument: { status: grpcStatus.invalidArgument, wireKind: 1, retry: "never" },
  notFound: { status: grpcStatus.notFound, wireKind: 2, retry: "never" },
  nameTaken: { status: grpcStatus.alreadyExists, wireKind: 3, retry: "never" },
  wouldCycle: { status: grpcStatus.failedPrecondition, wireKind: 4, retry: "never" },
  versionConflict: { status: grpcStatus.aborted, wireKind: 5, retry: "never" },
  notEmpty: { status: grpcStatus.failedPrecondition, wireKind: 6, retry: "never" },
  unauthenticated: { status: grpcStatus.unauthenticated, wireKind: 7, retry: "never" },
  denied: { status: grpcStatus.permissionDenied, wireKind: 8, retry: "never" },
  quotaExceeded: { status: grpcStatus.resourceExhausted, wireKind: 9, retry: "never" },
  noSpace: { status: grpcStatus.resourceExhausted, wireKind: 10, retry: "never" },
  tooBusy: { status: grpcStatus.resourceExhausted, wireKind: 11, retry: "later" },
  notLeader: { status: grpcStatus.unavailable, wireKind: 12, retry: "elsewhere" },
  unavailable: { status: grpcStatus.unavailable, wireKind: 13, retry: "elsewhere" },
  deadline: { status: grpcStatus.deadlineExceeded, wireKind: 14, retry: "never" },
  cancelled: { status: grpcStatus.cancelled, wireKind: 15, retry: "never" },
  checksumMismatch: { status: grpcStatus.dataLoss, wireKind: 16, retry: "never" },
  dataLoss: { status: grpcStatus.dataLoss, wireKind: 17, retry: "never" },
  wrongCluster: { status: grpcStatus.failedPrecondition, wireKind: 18, retry: "never" },
  precondition: { status: grpcStatus.failedPrecondition, wireKind: 19, retry: "never" },
  tooLarge: { status: grpcStatus.outOfRange, wireKind: 20, retry: "never" },
  diskFailed: { status: grpcStatus.internal, wireKind: 21, retry: "never" },
  internal: { status: grpcStatus.internal, wireKind: 22, retry: "never" },
} as const satisfies Record<ErrorKind, ErrorCode>;

/** The number of a kind in `holdfast.errors.v1.ErrorKind`. */
export function errorKindToWire(kind: ErrorKind): number {
  return codeByKind[kind].wireKind;
}

const kindByWire = new Map<number, ErrorKind>(
  // `Object.entries` forgets the keys' type; the table has no other keys.
  Object.entries(codeByKind).map(([kind, { wireKind }]) => [wireKind, kind as ErrorKind]),
);

/** The kind of a number of `holdfast.errors.v1.ErrorKind`; an unknown number counts as `internal`. */
export function errorKindFromWire(wireKind: number): ErrorKind {
  return kindByWire.get(wireKind) ?? "internal";
}

/** What a caller may do after an error of this kind. */
export function retryClassOf(kind: ErrorKind): RetryClass {
  return codeByKind[kind].retry;
}
