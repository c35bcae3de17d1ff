import { ok, refused } from "@holdfast/base";
import { conflictPolicy, type PurgeEntry, type RestoreEntry, type TrashEntry } from "../commands.ts";
import type { DecideResult, Decision } from "../decision.ts";
import type { DomainEvent } from "../events.ts";
import { orderedPage } from "../ordered-index.ts";
import type { TableReader } from "../tables.ts";
import { usersTable } from "../accounts/state.ts";
import { idAtEnd } from "../time-key.ts";
import { chooseName } from "./decide.ts";
import { depthFault, findAlive, findAliveFolder, invalid, notFound } from "./lookup.ts";
import { childrenSet, entryKind, entryTable, purgingSet } from "./state.ts";

/** Into the trash, with everything below it. */
export function decideTrashEntry(tables: TableReader, command: TrashEntry): DecideResult {
  const found = findAlive(tables, command.entryId, command.userId);
  if (!found.ok) return found;
  const { entryId, entry } = found.value;
  if (entry.parentId === 0) return invalid("A user's root folder can't be put into the trash");
  if (command.onlyIfEmpty && entry.childCount > 0) {
    return refused({ kind: "notEmpty", message: `The folder "${entry.name}" is not empty. Nothing was changed.` });
  }
  return ok({ events: [{ kind: "entryTrashed", entryId, sourceParentId: entry.parentId }], outcome: { entryId } });
}

/** Out of the trash: to the named folder, else where it was, else to the root. A taken name gets a number. */
export function decideRestoreEntry(tables: TableReader, command: RestoreEntry): DecideResult {
  const { entryId, userId } = command;
  const entry = tables.get(entryTable, [entryId]);
  if (entry === undefined || entry.ownerId !== userId || entry.trashedAtMs === 0 || entry.isPurged) {
    return notFound("The trashed file or folder");
  }
  const targetId =
    command.targetParentId === 0 ? originOrRoot(tables, entry.originParentId, userId) : command.targetParentId;
  const target = findAliveFolder(tables, targetId, userId);
  if (!target.ok) return target;
  const tooDeep = depthFault(target.value);
  if (tooDeep !== undefined) return tooDeep;
  const name = chooseName(tables, {
    parentId: targetId,
    name: entry.name,
    conflict: conflictPolicy.keepBoth,
    isFolder: entry.kind === entryKind.folder,
  });
  if (!name.ok) return name;
  return ok({
    events: [{ kind: "entryRestored", entryId, targetParentId: targetId, targetName: name.value }],
    outcome: { entryId, name: name.value },
  });
}

function originOrRoot(tables: TableReader, originId: number, userId: number): number {
  if (findAliveFolder(tables, originId, userId).ok) return originId;
  return tables.get(usersTable, [userId])?.rootEntryId ?? 0;
}

/** For ever. What is below a folder follows in steps of `decideContinuePurge`. */
export function decidePurgeEntry(tables: TableReader, command: PurgeEntry): DecideResult {
  const { entryId, userId } = command;
  const entry = tables.get(entryTable, [entryId]);
  if (entry === undefined || entry.ownerId !== userId || entry.isPurged) return notFound("The file or folder");
  if (entry.trashedAtMs > 0) return ok({ events: [{ kind: "entryPurged", entryId }], outcome: { entryId } });
  const found = findAlive(tables, entryId, userId);
  if (!found.ok) return found;
  if (entry.parentId === 0) return invalid("A user's root folder can't be deleted");
  return ok({
    events: [
      { kind: "entryTrashed", entryId, sourceParentId: entry.parentId },
      { kind: "entryPurged", entryId },
    ],
    outcome: { entryId },
  });
}

/**
 * The next step of purging what is below purged folders: at most `eventsMax` children. No events: nothing is left.
 * For a controller; each step is a decision of its own so that other commands go on between them.
 */
export function decideContinuePurge(tables: TableReader, eventsMax: number): Decision {
  const events: DomainEvent[] = [];
  for (const folderKey of orderedPage(tables, purgingSet, { offset: 0, limit: eventsMax })) {
    const limit = eventsMax - events.length;
    if (limit <= 0) break;
    for (const childKey of orderedPage(tables, childrenSet(idAtEnd(folderKey)), { offset: 0, limit })) {
      events.push({ kind: "entryPurged", entryId: idAtEnd(childKey) });
    }
  }
  return { events, outcome: {} };
}
