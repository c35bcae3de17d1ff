import { Code, ConnectError } from "@connectrpc/connect";
import { HoldfastError } from "@holdfast/base";
import { ErrorKind, ErrorDetailSchema } from "@holdfast/proto/errors/v1/errors";
import { describe, expect, it } from "vitest";
import { exitCodeOf, ExitSignal, toHoldfastError, UsageError } from "./exit-code.ts";

describe("exit codes", () => {
  it.each([
    ["notFound", 3],
    ["nameTaken", 4],
    ["notEmpty", 4],
    ["unauthenticated", 5],
    ["denied", 5],
    ["noSpace", 6],
    ["quotaExceeded", 6],
    ["unavailable", 7],
    ["deadline", 7],
    ["checksumMismatch", 9],
    ["cancelled", 130],
    ["internal", 1],
  ] as const)("%s ends with %i", (kind, code) => {
    expect(exitCodeOf(new HoldfastError(kind, ""))).toBe(code);
  });
  it("usage is 2, an answer keeps its own, a bug is 1", () => {
    expect(exitCodeOf(new UsageError("x"))).toBe(2);
    expect(exitCodeOf(new ExitSignal(12, "x"))).toBe(12);
    expect(exitCodeOf(new TypeError("x"))).toBe(1);
  });
  it("believes the gateway's detail over the transport's code", () => {
    const detail = {
      kind: ErrorKind.NOT_EMPTY,
      message: "The folder has entries.",
      requestId: "r1",
      leaderAddress: "",
    };
    const wire = new ConnectError("x", Code.FailedPrecondition, undefined, [
      { desc: ErrorDetailSchema, value: detail },
    ]);
    expect(toHoldfastError(wire)).toMatchObject({
      kind: "notEmpty",
      message: "The folder has entries.",
      requestId: "r1",
    });
    expect(toHoldfastError(new ConnectError("gone", Code.NotFound))).toMatchObject({ kind: "notFound" });
  });
});
