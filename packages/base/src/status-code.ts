import type { ErrorKind } from "./errors.ts";

/** By the numbers that gRPC and Connect share. */
const kindByStatusCode: Readonly<Record<number, ErrorKind>> = {
  1: "cancelled",
  3: "invalidArgument",
  4: "deadline",
  5: "notFound",
  6: "nameTaken",
  7: "denied",
  8: "tooBusy",
  9: "precondition",
  10: "versionConflict",
  14: "unavailable",
  15: "dataLoss",
  16: "unauthenticated",
};

/**
 * The nearest error kind of a gRPC or Connect status code, for answers that carry no `ErrorDetail` (a proxy's, a broken
 * connection's); undefined for codes that say nothing of use.
 */
export function errorKindOfStatusCode(code: number): ErrorKind | undefined {
  return kindByStatusCode[code];
}
