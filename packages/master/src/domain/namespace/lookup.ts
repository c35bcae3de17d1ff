import { refused, ok, type Result } from "@holdfast/base";
import type { Refusal } from "../decision.ts";
import type { TableReader } from "../tables.ts";
import { childTable, entryKind, entryTable, type EntryRecord } from "./state.ts";

/** Folders that may be above an entry that is made or moved; the root counts. */
export const depthMax = 256;
/** No chain of parents is longer; moving deep folders into deep folders stops here. */
const chainMax = 4096;

/** An entry and the ids of the folders above it, nearest first. */
export interface LocatedEntry {
  readonly entryId: number;
  readonly entry: EntryRecord;
  readonly ancestorIds: readonly number[];
}

/** The refusal for what is not there, and for what is there but not for this user. */
export function notFound(what: string): { readonly ok: false; readonly error: Refusal } {
  return refused({ kind: "notFound", message: `${what} does not exist (any more). Nothing was changed.` });
}

/** A refusal for a malformed command. */
export function invalid(message: string): { readonly ok: false; readonly error: Refusal } {
  return refused({ kind: "invalidArgument", message: `${message}. Nothing was changed.` });
}

/** An entry of this user that is neither in the trash nor below something that is. */
export function findAlive(tables: TableReader, entryId: number, userId: number): Result<LocatedEntry, Refusal> {
  const entry = tables.get(entryTable, [entryId]);
  if (entry === undefined || entry.ownerId !== userId) return notFound("The file or folder");
  const ancestorIds: number[] = [];
  let current = entry;
  for (;;) {
    if (current.trashedAtMs > 0 || current.isPurged) return notFound("The file or folder");
    if (current.parentId === 0) return ok({ entryId, entry, ancestorIds });
    ancestorIds.push(current.parentId);
    const parent = tables.get(entryTable, [current.parentId]);
    if (parent === undefined || ancestorIds.length > chainMax) return notFound("The file or folder");
    current = parent;
  }
}

/** A folder of this user that may get children. */
export function findAliveFolder(tables: TableReader, entryId: number, userId: number): Result<LocatedEntry, Refusal> {
  const found = findAlive(tables, entryId, userId);
  if (!found.ok) return notFound("The folder");
  if (found.value.entry.kind !== entryKind.folder) return invalid("The target is a file, not a folder");
  return found;
}

/** Whether one more level below the folder is too deep. */
export function depthFault(folder: LocatedEntry): { readonly ok: false; readonly error: Refusal } | undefined {
  if (folder.ancestorIds.length + 1 < depthMax) return undefined;
  return invalid(`Folders can be nested at most ${depthMax} deep`);
}

/** The child of that name, if any. */
export function childNamed(
  tables: TableReader,
  parentId: number,
  name: string,
): { readonly entryId: number; readonly entry: EntryRecord } | undefined {
  const child = tables.get(childTable, [parentId, name]);
  const entry = child === undefined ? undefined : tables.get(entryTable, [child.entryId]);
  return child === undefined || entry === undefined ? undefined : { entryId: child.entryId, entry };
}

/** The refusal for a name that is in use. */
export function nameTaken(name: string): { readonly ok: false; readonly error: Refusal } {
  return refused({
    kind: "nameTaken",
    message: `There is already something named "${name}" in this folder. Nothing was changed; choose another name.`,
  });
}
