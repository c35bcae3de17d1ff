import { expect, it } from "vitest";
import { toDiskError } from "./disk-errors.ts";

function failure(message: string, code: string, cause?: Error): Error {
  return Object.assign(new Error(message, { cause }), { code });
}

it("knows a full disk by the system's code", () => {
  expect(toDiskError("write /a", failure("write", "ENOSPC"))).toMatchObject({ kind: "noSpace" });
});

it("knows a full disk by LevelDB's words, however deep they are", () => {
  const words = new Error("IO error: /data/lock/MANIFEST-000004: No space left on device");
  const error = toDiskError("open the store /data/lock", failure("not open", "LEVEL_DATABASE_NOT_OPEN", words));
  expect(error.kind).toBe("noSpace");
  expect(error.message).toBe(
    "cannot open the store /data/lock: the disk is full; free some space (LEVEL_DATABASE_NOT_OPEN)",
  );
});

it("takes anything that it does not know for a failed disk", () => {
  const words = new Error("Corruption: bad block");
  expect(toDiskError("open", failure("not open", "LEVEL_DATABASE_NOT_OPEN", words)).kind).toBe("diskFailed");
  expect(toDiskError("open", "what is this").kind).toBe("diskFailed");
});
