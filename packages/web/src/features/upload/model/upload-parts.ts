import { assert } from "@holdfast/base";
import type { UploadItem, UploadParts } from "./upload-item.ts";

/** Cuts an item into parts; `storedParts` are what the server has already. */
export function cutIntoParts(
  item: UploadItem,
  answer: { readonly partSizeBytes: number; readonly storedParts?: readonly number[] },
): UploadParts {
  const { partSizeBytes } = answer;
  assert(partSizeBytes > 0, "the server says how large a part is");
  const count = Math.max(1, Math.ceil(item.sizeBytes / partSizeBytes));
  const stored = new Set((answer.storedParts ?? []).filter((part) => part < count));
  return { partSizeBytes, count, stored, next: 0, again: [] };
}

/** Bytes of one part; the last one is shorter. */
export function partLength(item: UploadItem, parts: UploadParts, part: number): number {
  return Math.min(parts.partSizeBytes, item.sizeBytes - part * parts.partSizeBytes);
}

/** Bytes of all stored parts. */
export function storedLength(item: UploadItem, parts: UploadParts): number {
  let bytes = 0;
  for (const part of parts.stored) bytes += partLength(item, parts, part);
  return bytes;
}

/** Takes the next part to send: those that failed first, then those never sent. Undefined when all are stored or in flight. */
export function takeNextPart(parts: UploadParts): number | undefined {
  while (parts.next < parts.count && parts.stored.has(parts.next)) parts.next += 1;
  const again = parts.again.shift();
  if (again !== undefined) return again;
  return parts.next < parts.count ? parts.next++ : undefined;
}
