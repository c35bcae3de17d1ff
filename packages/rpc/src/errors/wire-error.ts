import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { HoldfastError, toHex } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import { ErrorDetailSchema, type ErrorKind as WireErrorKind } from "@holdfast/proto/errors/v1/errors";
import type { Random } from "@holdfast/runtime";
import { codeByKind, errorKindFromWire, errorKindToWire, grpcStatus } from "./code-table.ts";

/** Where the detail travels in a failed call's trailers. */
export const errorTrailer = "holdfast-error-bin";
/** Trailers are small by nature. */
const messageLengthMax = 2048;

/** An error as it leaves a process. */
export interface WireError {
  readonly status: number;
  readonly message: string;
  /** An encoded `holdfast.errors.v1.ErrorDetail`. */
  readonly detail: Uint8Array;
}

/** Encodes an error for the wire. Its cause stays here. */
export function toWireError(error: HoldfastError, requestId: string): WireError {
  const message = error.message.slice(0, messageLengthMax);
  const detail = create(ErrorDetailSchema, {
    // The table's numbers are the enum's (compared by a test).
    kind: errorKindToWire(error.kind) as WireErrorKind,
    message,
    requestId,
    leaderAddress: error.leaderAddress ?? "",
  });
  return { status: codeByKind[error.kind].status, message, detail: toBinary(ErrorDetailSchema, detail) };
}

/** The error of a failed call, from its detail, or from the bare status when something else than a handler answered. */
export function fromWireError(status: number, message: string, detail: Uint8Array | undefined): HoldfastError {
  if (detail !== undefined) {
    try {
      const { kind, message: sentence, requestId, leaderAddress } = fromBinary(ErrorDetailSchema, detail);
      return new HoldfastError(errorKindFromWire(kind), sentence, {
        requestId,
        ...(leaderAddress === "" ? {} : { leaderAddress }),
      });
    } catch (cause) {
      return new HoldfastError("unavailable", "the other side answered with an error that cannot be read; try again", {
        cause,
      });
    }
  }
  switch (status) {
    case grpcStatus.deadlineExceeded:
      return new HoldfastError("deadline", "no answer came in time; the request may or may not have been carried out");
    case grpcStatus.resourceExhausted:
      return new HoldfastError("tooLarge", `a message is larger than the limit: ${message}`);
    case grpcStatus.unimplemented:
      return new HoldfastError("precondition", "the other side does not know this request; is it of another version?");
    default:
      return new HoldfastError(
        "unavailable",
        `the other side cannot be reached or stopped answering (${message}); the request may or may not have been carried out`,
      );
  }
}

/** What turns a thrown value into something that may be sent. */
export interface IncidentPorts {
  readonly random: Random;
  readonly logger: Logger;
}

/** A thrown `HoldfastError` as it is; anything else is logged under an incident id and told as `internal`. */
export function toHoldfastError(
  thrown: unknown,
  ports: IncidentPorts,
  where: { readonly method: string; readonly requestId: string },
): HoldfastError {
  if (thrown instanceof HoldfastError && thrown.kind !== "internal") return thrown;
  const incidentId = toHex(ports.random.bytes(6));
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  ports.logger.error("rpc.handler_failed", { incidentId, method: where.method, requestId: where.requestId, stack });
  return new HoldfastError(
    "internal",
    `something went wrong on our side; quote incident ${incidentId} to the operator`,
    { cause: thrown },
  );
}
