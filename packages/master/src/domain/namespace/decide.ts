import { ok, refused, type Result } from "@holdfast/base";
import { conflictPolicy, type CreateFolder, type MoveEntry } from "../commands.ts";
import type { DecideResult, Refusal } from "../decision.ts";
import { nextIds } from "../state.ts";
import type { TableReader } from "../tables.ts";
import { nameFault } from "./check-name.ts";
import { keepBothName } from "./keep-both.ts";
import { childNamed, depthFault, findAlive, findAliveFolder, invalid, nameTaken, type LocatedEntry } from "./lookup.ts";
import { childTable, entryKind } from "./state.ts";

/** A folder in a folder of the user's. */
export function decideCreateFolder(tables: TableReader, command: CreateFolder): DecideResult {
  const fault = nameFault(command.name);
  if (fault !== undefined) return invalid(`The folder can't be made: ${fault}`);
  const parent = findAliveFolder(tables, command.parentId, command.userId);
  if (!parent.ok) return parent;
  const present = childNamed(tables, command.parentId, command.name);
  if (present !== undefined) {
    const isFolder = present.entry.kind === entryKind.folder;
    if (!command.keepExisting || !isFolder) return nameTaken(command.name);
    return ok({ events: [], outcome: { entryId: present.entryId, name: command.name } });
  }
  const tooDeep = depthFault(parent.value);
  if (tooDeep !== undefined) return tooDeep;
  const [entryId = 0] = nextIds(tables, "entry");
  const { parentId, name, userId } = command;
  return ok({
    events: [{ kind: "folderCreated", entryId, parentId, name, ownerId: userId }],
    outcome: { entryId, name },
  });
}

/** Another name, another folder, or both. */
export function decideMoveEntry(tables: TableReader, command: MoveEntry): DecideResult {
  const found = findAlive(tables, command.entryId, command.userId);
  if (!found.ok) return found;
  const { entryId, entry } = found.value;
  if (entry.parentId === 0) return invalid("A user's root folder can't be moved or renamed");
  if (command.ifRevision !== 0 && command.ifRevision !== entry.revision) return changedMeanwhile();
  const wantedName = command.targetName === "" ? entry.name : command.targetName;
  const fault = nameFault(wantedName);
  if (fault !== undefined) return invalid(`The name can't be used: ${fault}`);
  const targetParentId = command.targetParentId === 0 ? entry.parentId : command.targetParentId;
  const target = checkTarget(tables, { moved: found.value, targetParentId, userId: command.userId });
  if (!target.ok) return target;
  if (targetParentId === entry.parentId && wantedName === entry.name) {
    return ok({ events: [], outcome: { entryId, name: entry.name } });
  }
  const isFolder = entry.kind === entryKind.folder;
  const name = chooseName(tables, { parentId: targetParentId, name: wantedName, conflict: command.conflict, isFolder });
  if (!name.ok) return name;
  const moved = {
    entryId,
    sourceParentId: entry.parentId,
    sourceName: entry.name,
    targetParentId,
    targetName: name.value,
  };
  return ok({ events: [{ kind: "entryMoved", ...moved }], outcome: { entryId, name: name.value } });
}

interface MoveTarget {
  readonly moved: LocatedEntry;
  readonly targetParentId: number;
  readonly userId: number;
}

function checkTarget(
  tables: TableReader,
  { moved, targetParentId, userId }: MoveTarget,
): Result<LocatedEntry, Refusal> {
  const target = findAliveFolder(tables, targetParentId, userId);
  if (!target.ok) return target;
  if (targetParentId === moved.entryId || target.value.ancestorIds.includes(moved.entryId)) {
    return refused({
      kind: "wouldCycle",
      message: "A folder can't be moved into itself or into a folder inside it. Nothing was changed.",
    });
  }
  return depthFault(target.value) ?? target;
}

/** The name as wanted when it is free, else what the policy says (replace is for content only and counts as fail). */
export function chooseName(
  tables: TableReader,
  wanted: { readonly parentId: number; readonly name: string; readonly conflict: number; readonly isFolder: boolean },
): Result<string, Refusal> {
  const isTaken = (name: string): boolean => tables.get(childTable, [wanted.parentId, name]) !== undefined;
  if (!isTaken(wanted.name)) return ok(wanted.name);
  if (wanted.conflict !== conflictPolicy.keepBoth) return nameTaken(wanted.name);
  const name = keepBothName(wanted.name, { isFolder: wanted.isFolder, isTaken });
  return name === undefined ? nameTaken(wanted.name) : ok(name);
}

function changedMeanwhile(): { readonly ok: false; readonly error: Refusal } {
  return refused({
    kind: "versionConflict",
    message: "The file or folder was changed by somebody else meanwhile. Nothing was changed; look again and retry.",
  });
}
