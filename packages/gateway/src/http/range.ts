import type { ByteRange } from "../drive/ports.ts";

/** What a `Range` header asks of a file. */
export type WishedRange =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly range: ByteRange }
  | { readonly kind: "unsatisfiable" };

const whole: WishedRange = { kind: "whole" };
const unsatisfiable: WishedRange = { kind: "unsatisfiable" };

/**
 * Reads a `Range` header. A header that is malformed, of another unit, or of several ranges is ignored, as a server may:
 * the whole file answers. Source: RFC 9110 sections 14.1.2, 14.2.
 */
export function parseRange(header: string | undefined, sizeBytes: number): WishedRange {
  const match = /^bytes=\s*([0-9]*)-([0-9]*)\s*$/i.exec(header ?? "");
  if (match === null) return whole;
  const [first, last] = [match[1] ?? "", match[2] ?? ""];
  if (first === "") return last === "" ? whole : suffix(Number(last), sizeBytes);
  const firstByte = Number(first);
  const lastByte = last === "" ? Infinity : Number(last);
  if (lastByte < firstByte) return whole;
  if (firstByte >= sizeBytes) return unsatisfiable;
  const endBytes = Math.min(lastByte + 1, sizeBytes);
  return { kind: "part", range: { offsetBytes: firstByte, lengthBytes: endBytes - firstByte } };
}

function suffix(lengthBytes: number, sizeBytes: number): WishedRange {
  if (lengthBytes === 0 || sizeBytes === 0) return unsatisfiable;
  const length = Math.min(lengthBytes, sizeBytes);
  return { kind: "part", range: { offsetBytes: sizeBytes - length, lengthBytes: length } };
}
