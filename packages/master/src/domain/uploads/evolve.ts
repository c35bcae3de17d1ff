import { must } from "@holdfast/base";
import type { EventOf } from "../events.ts";
import { orderedInsert, orderedRemove } from "../ordered-index.ts";
import type { Tables } from "../tables.ts";
import { uploadExpiryKey, uploadExpirySet, uploadPartTable, uploadTable } from "./state.ts";

/** An upload without parts. */
export function evolveUploadStarted(tables: Tables, event: EventOf<"uploadStarted">): void {
  const { kind: _kind, uploadId, ...facts } = event;
  tables.set(uploadTable, [uploadId], { ...facts, partCount: 0, partLimit: 0, storedBytes: 0 });
  orderedInsert(tables, uploadExpirySet, uploadExpiryKey(event.expiresAtMs, uploadId));
}

/** A part, in place of an earlier one of its number. Returns the earlier one's chunks, which nobody needs any more. */
export function evolveUploadPartStored(tables: Tables, event: EventOf<"uploadPartStored">): readonly number[] {
  const { uploadId, part, chunkIds, lengthBytes, sha256 } = event;
  const upload = must(tables.get(uploadTable, [uploadId]), "a part belongs to an upload that is there");
  const former = tables.get(uploadPartTable, [uploadId, part]);
  tables.set(uploadPartTable, [uploadId, part], { chunkIds, lengthBytes, sha256 });
  tables.set(uploadTable, [uploadId], {
    ...upload,
    partCount: upload.partCount + (former === undefined ? 1 : 0),
    partLimit: Math.max(upload.partLimit, part + 1),
    storedBytes: upload.storedBytes + lengthBytes - (former?.lengthBytes ?? 0),
  });
  const kept = new Set(chunkIds);
  return (former?.chunkIds ?? []).filter((chunkId) => !kept.has(chunkId));
}

/** The end. Returns the chunks that nobody needs any more: none when the upload was committed. */
export function evolveUploadEnded(tables: Tables, event: EventOf<"uploadEnded">): readonly number[] {
  const { uploadId, isCommitted } = event;
  const upload = must(tables.get(uploadTable, [uploadId]), "an upload that ends is there");
  const chunkIds: number[] = [];
  for (let part = 0; part < upload.partLimit; part++) {
    const stored = tables.get(uploadPartTable, [uploadId, part]);
    if (stored === undefined) continue;
    tables.delete(uploadPartTable, [uploadId, part]);
    if (!isCommitted) for (const chunkId of stored.chunkIds) chunkIds.push(chunkId);
  }
  tables.delete(uploadTable, [uploadId]);
  orderedRemove(tables, uploadExpirySet, uploadExpiryKey(upload.expiresAtMs, uploadId));
  return chunkIds;
}
