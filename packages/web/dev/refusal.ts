import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { errorKinds, type ErrorKind } from "@holdfast/base";
import { ErrorDetailSchema, type ErrorKind as WireErrorKind } from "@holdfast/proto/errors/v1/errors";

const codes: Partial<Record<ErrorKind, Code>> = {
  invalidArgument: Code.InvalidArgument,
  notFound: Code.NotFound,
  nameTaken: Code.AlreadyExists,
  wouldCycle: Code.FailedPrecondition,
  versionConflict: Code.Aborted,
  unauthenticated: Code.Unauthenticated,
  denied: Code.PermissionDenied,
  precondition: Code.FailedPrecondition,
  unavailable: Code.Unavailable,
  checksumMismatch: Code.DataLoss,
  noSpace: Code.ResourceExhausted,
};

const statuses: Partial<Record<ErrorKind, number>> = {
  invalidArgument: 400,
  unauthenticated: 401,
  denied: 403,
  notFound: 404,
  nameTaken: 409,
  precondition: 412,
  checksumMismatch: 422,
  noSpace: 507,
  unavailable: 503,
};

/** A refusal of the memory gateway, as Connect sends it. */
export class Refusal extends ConnectError {
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string) {
    super(message, codes[kind] ?? Code.Internal, undefined, [
      {
        desc: ErrorDetailSchema,
        value: create(ErrorDetailSchema, {
          kind: (errorKinds.indexOf(kind) + 1) as WireErrorKind,
          message,
          requestId: "memory",
        }),
      },
    ]);
    this.kind = kind;
  }

  /** The same over plain HTTP. */
  get httpStatus(): number {
    return statuses[this.kind] ?? 500;
  }
}
