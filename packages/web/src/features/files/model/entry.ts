import { safeInteger, toHex } from "@holdfast/base";
import { EntryKind, type Entry } from "@holdfast/proto/model/v1/model";

/** A file or folder as the page holds it; never changed in place, replaced by a newer revision. */
export interface DriveEntry {
  readonly id: number;
  /** 0 for the root. */
  readonly parentId: number;
  /** Empty for the root. */
  readonly name: string;
  readonly kind: "folder" | "file";
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
  /** Log index of its last change; the larger one is newer. */
  readonly revision: number;
  readonly childCount: number;
  /** 0 when it is not in the trash. */
  readonly trashedAtMs: number;
  /** In the trash: the folder it came from. */
  readonly originParentId: number;
  /** Hex, or empty when nobody computed it. */
  readonly sha256: string;
}

/** From the wire, with every 64-bit number checked once. */
export function entryFromWire(wire: Entry): DriveEntry {
  return {
    id: safeInteger(wire.entryId),
    parentId: safeInteger(wire.parentId),
    name: wire.name,
    kind: wire.kind === EntryKind.FOLDER ? "folder" : "file",
    sizeBytes: safeInteger(wire.sizeBytes),
    createdAtMs: safeInteger(wire.createdAtMs),
    modifiedAtMs: safeInteger(wire.modifiedAtMs),
    revision: safeInteger(wire.revision),
    childCount: wire.childCount,
    trashedAtMs: safeInteger(wire.trashedAtMs),
    originParentId: safeInteger(wire.originParentId),
    sha256: toHex(wire.sha256),
  };
}

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Folders first, then by name with numbers in order: the server's order as nearly as a page can know it. */
export function compareEntries(left: DriveEntry, right: DriveEntry): number {
  if (left.kind !== right.kind) return left.kind === "folder" ? -1 : 1;
  return (
    collator.compare(left.name, right.name) ||
    (left.name < right.name ? -1 : left.name > right.name ? 1 : left.id - right.id)
  );
}
