import { errorKinds, HoldfastError } from "@holdfast/base";
import { createRecordingLogger } from "@holdfast/observability";
import { ErrorKindSchema } from "@holdfast/proto/errors/v1/errors";
import { createSeededRandom } from "@holdfast/runtime/sim";
import { expect, test } from "vitest";
import { codeByKind, errorKindFromWire, errorKindToWire, grpcStatus } from "./code-table.ts";
import { fromWireError, toHoldfastError, toWireError } from "./wire-error.ts";

test("the table has the numbers of holdfast.errors.v1.ErrorKind, and a row for each of them", () => {
  const inProto = ErrorKindSchema.values
    .filter((value) => value.number !== 0)
    .map((value) => [value.name, value.number]);
  const name = (kind: string): string => `ERROR_KIND_${kind.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
  expect(errorKinds.map((kind) => [name(kind), errorKindToWire(kind)])).toEqual(inProto);
  for (const kind of errorKinds) expect(errorKindFromWire(codeByKind[kind].wireKind)).toBe(kind);
});

test("unknown kinds count as internal, unreadable details as unavailable", () => {
  expect(errorKindFromWire(0)).toBe("internal");
  expect(errorKindFromWire(999)).toBe("internal");
  expect(fromWireError(grpcStatus.internal, "", new Uint8Array([255, 255])).kind).toBe("unavailable");
});

test.each([
  [grpcStatus.deadlineExceeded, "deadline"],
  [grpcStatus.resourceExhausted, "tooLarge"],
  [grpcStatus.unimplemented, "precondition"],
  [grpcStatus.unavailable, "unavailable"],
  [grpcStatus.cancelled, "unavailable"],
  [grpcStatus.internal, "unavailable"],
])("a bare status %i is told as %s", (status, kind) => {
  expect(fromWireError(status, "x", undefined).kind).toBe(kind);
});

test("a cause never travels, and a very long message is cut", () => {
  const error = new HoldfastError("diskFailed", "x".repeat(100_000), { cause: new Error("/secret/path") });
  const { detail, message } = toWireError(error, "r1");
  expect(Buffer.from(detail).toString("latin1")).not.toContain("secret");
  expect(message.length).toBe(2048);
  const arrived = fromWireError(13, "", detail);
  expect({ kind: arrived.kind, requestId: arrived.requestId, cause: arrived.cause }).toEqual({
    kind: "diskFailed",
    requestId: "r1",
    cause: undefined,
  });
});

test("a bug is logged under the incident id that the caller is told", () => {
  const logger = createRecordingLogger();
  const error = toHoldfastError(
    new TypeError("oops"),
    { random: createSeededRandom(1), logger },
    { method: "/a/B", requestId: "r" },
  );
  const incidentId = logger.records[0]?.fields.incidentId;
  expect(error).toMatchObject({ kind: "internal", message: expect.stringContaining(String(incidentId)) as string });
  expect(logger.records[0]?.fields).toMatchObject({
    method: "/a/B",
    requestId: "r",
    stack: expect.stringContaining("oops") as string,
  });
});
