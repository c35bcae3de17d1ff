import { create } from "@bufbuild/protobuf";
import { EntryKind, EntrySchema, type Entry } from "@holdfast/proto/model/v1/model";
import { entryKind, entryTable, type EntryRecord } from "../domain/namespace/state.ts";
import type { TableReader } from "../domain/tables.ts";

/** An entry as others see it; undefined when there is none, or only its remains that are being purged. */
export function readWireEntry(tables: TableReader, entryId: number): Entry | undefined {
  const entry = tables.get(entryTable, [entryId]);
  return entry === undefined || entry.isPurged ? undefined : entryToWire(entryId, entry);
}

/** The wire form of an entry. */
export function entryToWire(entryId: number, entry: EntryRecord): Entry {
  return create(EntrySchema, {
    entryId: BigInt(entryId),
    parentId: BigInt(entry.parentId),
    name: entry.name,
    kind: entry.kind === entryKind.folder ? EntryKind.FOLDER : EntryKind.FILE,
    ownerId: BigInt(entry.ownerId),
    createdAtMs: BigInt(entry.createdAtMs),
    modifiedAtMs: BigInt(entry.modifiedAtMs),
    sizeBytes: BigInt(entry.sizeBytes),
    sha256: entry.sha256,
    versionId: BigInt(entry.versionId),
    revision: BigInt(entry.revision),
    childCount: entry.childCount,
    trashedAtMs: BigInt(entry.trashedAtMs),
    originParentId: BigInt(entry.originParentId),
  });
}
