import { create } from "zustand";
import { compareEntries, type DriveEntry } from "./model/entry.ts";
import { emptyFolderPages, withChangeAt, withInsertedId, withoutId, type FolderPages } from "./model/folder-pages.ts";
import type { Failure } from "../../lib/failure.ts";

/** Whether changes arrive as they happen. */
export type Connection = "connecting" | "live" | "lost";

interface DriveState {
  /** By id. The map is kept and changed in place; `tick` says that something did. */
  readonly entries: Map<number, DriveEntry>;
  readonly tick: number;
  /** Rows of folders by folder id. */
  readonly folders: ReadonlyMap<number, FolderPages>;
  /** Ids from the root down to the folder's parent. */
  readonly ancestors: ReadonlyMap<number, readonly number[]>;
  /** Why a folder could not be read. */
  readonly failures: ReadonlyMap<number, Failure>;
  readonly connection: Connection;
  /** Newest index seen on the change feed. */
  readonly liveIndex: number;
  /** Ids that changed from elsewhere a moment ago, tinted for a while. */
  readonly fresh: ReadonlySet<number>;
  /** Grows when the trash changed. */
  readonly trashTick: number;
}

function initialState(): DriveState {
  return {
    entries: new Map(),
    tick: 0,
    folders: new Map(),
    ancestors: new Map(),
    failures: new Map(),
    connection: "connecting",
    liveIndex: 0,
    fresh: new Set(),
    trashTick: 0,
  };
}

/** Everything the page knows of the account's files; components subscribe to one id or one folder of it. */
export const useDrive = create<DriveState>(initialState);

/** Forgets everything, at sign-out. */
export function resetDrive(): void {
  useDrive.setState(initialState());
}

/** What is known of a folder's rows. */
export function folderPages(folderId: number): FolderPages {
  return useDrive.getState().folders.get(folderId) ?? emptyFolderPages;
}

/** Replaces what is known of a folder's rows. */
export function setFolderPages(folderId: number, pages: FolderPages): void {
  useDrive.setState((state) => ({ folders: new Map(state.folders).set(folderId, pages) }));
}

/** Keeps entries that are newer than what is known. */
export function keepEntries(entries: readonly DriveEntry[]): void {
  const known = useDrive.getState().entries;
  for (const entry of entries) {
    const before = known.get(entry.id);
    if (before === undefined || before.revision <= entry.revision) known.set(entry.id, entry);
  }
  useDrive.setState((state) => ({ tick: state.tick + 1 }));
}

/**
 * Folds one change into everything that shows it. `atIndex` 0 is a change made here ahead of the server's word.
 * `sourceParentId` is the folder it was in before, 0 when it is new.
 */
export function applyEntry(
  entry: DriveEntry,
  change: { readonly sourceParentId: number; readonly atIndex: number },
): void {
  const { entries } = useDrive.getState();
  const before = entries.get(entry.id);
  if (before !== undefined && before.revision > entry.revision) return;
  entries.set(entry.id, entry);
  const isInTrash = entry.trashedAtMs > 0;
  const hasMoved =
    before === undefined || before.name !== entry.name || before.parentId !== entry.parentId || isInTrash;
  useDrive.setState((state) => {
    if (!hasMoved) return { tick: state.tick + 1 };
    if (before?.parentId !== entry.parentId && !isInTrash) {
      if (before !== undefined) countChild(entries, before.parentId, -1);
      countChild(entries, entry.parentId, 1);
    }
    const folders = new Map(state.folders);
    for (const parentId of new Set([change.sourceParentId, before?.parentId ?? 0, entry.parentId])) {
      const folder = folders.get(parentId);
      if (folder === undefined) continue;
      const without =
        parentId === change.sourceParentId || parentId === before?.parentId ? withoutId(folder, entry.id) : folder;
      const placed =
        parentId === entry.parentId && !isInTrash
          ? withInsertedId(without, entry.id, (knownId) => isBefore(entry, entries.get(knownId)))
          : without;
      folders.set(parentId, withChangeAt(placed, change.atIndex));
    }
    return { folders, tick: state.tick + 1 };
  });
}

/** Folds the leaving of an entry into everything that shows it. */
export function applyGone(gone: { readonly id: number; readonly parentId: number; readonly atIndex: number }): void {
  const { entries } = useDrive.getState();
  const parentIds = new Set([gone.parentId, entries.get(gone.id)?.parentId ?? gone.parentId]);
  if (entries.delete(gone.id)) countChild(entries, gone.parentId, -1);
  useDrive.setState((state) => {
    const folders = new Map(state.folders);
    for (const parentId of parentIds) {
      const folder = folders.get(parentId);
      if (folder !== undefined) folders.set(parentId, withChangeAt(withoutId(folder, gone.id), gone.atIndex));
    }
    return { folders, tick: state.tick + 1 };
  });
}

/** Tints rows for a moment. */
export function markFresh(ids: readonly number[]): void {
  if (ids.length === 0) return;
  useDrive.setState((state) => ({ fresh: new Set([...state.fresh, ...ids]) }));
}

/** Ends the tint. */
export function unmarkFresh(ids: readonly number[]): void {
  useDrive.setState((state) => {
    const fresh = new Set(state.fresh);
    for (const id of ids) fresh.delete(id);
    return { fresh };
  });
}

/** The feed tells of children, not of their parents' counts. */
function countChild(entries: Map<number, DriveEntry>, parentId: number, difference: number): void {
  const parent = entries.get(parentId);
  if (parent !== undefined)
    entries.set(parentId, { ...parent, childCount: Math.max(0, parent.childCount + difference) });
}

function isBefore(entry: DriveEntry, known: DriveEntry | undefined): boolean {
  return known !== undefined && compareEntries(entry, known) < 0;
}
