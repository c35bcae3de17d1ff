import { ConflictPolicy } from "@holdfast/proto/events/v1/events";
import { explainFailure } from "../../lib/failure.ts";
import { extensionOf, formatItems } from "../../lib/format.ts";
import { randomHex } from "../../lib/random.ts";
import { drive } from "../../lib/rpc.ts";
import { showToast, showUndoable } from "../../ui/toast-store.ts";
import { applyEntry, applyGone, folderPages, setFolderPages, useDrive } from "./drive-store.ts";
import { expectOwnChange } from "./own-changes.ts";
import { entryFromWire, type DriveEntry } from "./model/entry.ts";
import { withAllStale } from "./model/folder-pages.ts";

const requestsMax = 6;

/** Makes a folder and answers with its id. Errors: nameTaken, invalidArgument. */
export async function createFolder(parentId: number, name: string): Promise<number> {
  const answer = await drive.createFolder({ requestId: randomHex(), parentId: BigInt(parentId), name });
  return adopt(answer.entry, 0);
}

/** Renames at once on screen; a refusal puts the old name back and says why. */
export async function renameEntry(entry: DriveEntry, name: string): Promise<void> {
  if (name === "" || name === entry.name) return;
  const work = tryMove(entry, { parentId: entry.parentId, name });
  const hasNewExtension = entry.kind === "file" && extensionOf(entry.name) !== extensionOf(name);
  const text = hasNewExtension ? `Renamed, with another extension: ${name}` : `Renamed to ${name}`;
  await showUndoable(
    text,
    work,
    async (before) => void (await tryMove(current(before), { parentId: before.parentId, name: before.name })),
  );
}

/** Moves to another folder; names that are taken there get a number. */
export async function moveEntries(ids: readonly number[], targetId: number): Promise<void> {
  const { entries } = useDrive.getState();
  const moving = ids
    .flatMap((id) => entries.get(id) ?? [])
    .filter((entry) => entry.parentId !== targetId && entry.id !== targetId);
  if (moving.length === 0) return;
  const targetName = entries.get(targetId)?.name;
  const where = targetName === undefined || targetName === "" ? "My files" : targetName;
  const work = collect(moving, (entry) => tryMove(entry, { parentId: targetId, name: entry.name }));
  await showUndoable(`Moved ${told(moving)} to ${where}`, work, async (moved) => {
    await collect(moved, (before) => tryMove(current(before), { parentId: before.parentId, name: before.name }));
  });
}

/** Into the trash, with undo instead of a question. */
export async function trashEntries(ids: readonly number[]): Promise<void> {
  const { entries } = useDrive.getState();
  const leaving = ids.flatMap((id) => entries.get(id) ?? []);
  if (leaving.length === 0) return;
  await showUndoable(`Moved ${told(leaving)} to the trash`, collect(leaving, tryTrash), (trashed) =>
    restoreEntries(
      trashed.map((entry) => entry.id),
      true,
    ),
  );
}

async function tryTrash(entry: DriveEntry): Promise<DriveEntry | undefined> {
  applyGone({ id: entry.id, parentId: entry.parentId, atIndex: 0 });
  try {
    await drive.trashEntry({ requestId: randomHex(), entryId: BigInt(entry.id) });
    return entry;
  } catch (thrown) {
    refresh(entry.parentId);
    tellFailure(`Could not delete ${entry.name}`, thrown);
    return undefined;
  }
}

/** Out of the trash. */
export async function restoreEntries(ids: readonly number[], isQuiet = false): Promise<void> {
  let restoredCount = 0;
  await eachOf(ids, async (id) => {
    try {
      const answer = await drive.restoreEntry({ requestId: randomHex(), entryId: BigInt(id) });
      adopt(answer.entry, 0);
      restoredCount += 1;
    } catch (thrown) {
      tellFailure("Could not restore an item", thrown);
    }
  });
  useDrive.setState((state) => ({ trashTick: state.trashTick + 1 }));
  if (restoredCount > 0 && !isQuiet) showToast(`Restored ${formatItems(restoredCount, "item")}`);
}

/** For ever. Answers how many went. */
export async function purgeEntries(ids: readonly number[]): Promise<void> {
  let purgedCount = 0;
  await eachOf(ids, async (id) => {
    try {
      await drive.purgeEntry({ requestId: randomHex(), entryId: BigInt(id) });
      purgedCount += 1;
    } catch (thrown) {
      tellFailure("Could not delete an item", thrown);
    }
  });
  useDrive.setState((state) => ({ trashTick: state.trashTick + 1 }));
  if (purgedCount > 0) showToast(`Deleted ${formatItems(purgedCount, "item")} for ever`);
}

/** Starts downloads through the browser, which shows their progress. Folders are left out. */
export function downloadEntries(ids: readonly number[]): void {
  const { entries } = useDrive.getState();
  for (const id of ids) {
    const entry = entries.get(id);
    if (entry?.kind !== "file") continue;
    const anchor = document.createElement("a");
    anchor.href = contentUrl(id);
    anchor.download = entry.name;
    anchor.click();
  }
}

/** Where a file's bytes are. */
export function contentUrl(id: number): string {
  return `/api/v1/files/${id}/content`;
}

/** Answers the entry as it was before, or undefined when it was refused. */
async function tryMove(
  entry: DriveEntry,
  target: { readonly parentId: number; readonly name: string },
): Promise<DriveEntry | undefined> {
  const isRename = target.parentId === entry.parentId;
  if (isRename) applyEntry({ ...entry, name: target.name }, { sourceParentId: entry.parentId, atIndex: 0 });
  try {
    const conflict = isRename ? ConflictPolicy.FAIL : ConflictPolicy.KEEP_BOTH;
    const targetParentId = isRename ? 0n : BigInt(target.parentId);
    const answer = await drive.moveEntry({
      requestId: randomHex(),
      entryId: BigInt(entry.id),
      targetParentId,
      targetName: target.name,
      conflict,
    });
    adopt(answer.entry, entry.parentId);
    return entry;
  } catch (thrown) {
    if (isRename) applyEntry(entry, { sourceParentId: entry.parentId, atIndex: 0 });
    refresh(entry.parentId);
    tellFailure(`Could not ${isRename ? "rename" : "move"} ${entry.name}`, thrown);
    return undefined;
  }
}

function adopt(wire: Parameters<typeof entryFromWire>[0] | undefined, sourceParentId: number): number {
  if (wire === undefined) return 0;
  const entry = entryFromWire(wire);
  expectOwnChange(entry.id);
  applyEntry(entry, { sourceParentId, atIndex: entry.revision });
  return entry.id;
}

function current(entry: DriveEntry): DriveEntry {
  return useDrive.getState().entries.get(entry.id) ?? entry;
}

function refresh(folderId: number): void {
  setFolderPages(folderId, withAllStale(folderPages(folderId)));
}

function told(entries: readonly DriveEntry[]): string {
  return entries.length === 1 ? (entries[0]?.name ?? "") : formatItems(entries.length, "item");
}

function tellFailure(what: string, thrown: unknown): void {
  const failure = explainFailure(thrown);
  showToast(`${what}. ${failure.title}`, { detail: failure.advice, isError: true });
}

/** What the action answered for all, without those that were refused; undefined when none was left. */
async function collect(
  entries: readonly DriveEntry[],
  action: (entry: DriveEntry) => Promise<DriveEntry | undefined>,
): Promise<readonly DriveEntry[] | undefined> {
  const done: DriveEntry[] = [];
  await eachOf(entries, async (entry) => {
    const before = await action(entry);
    if (before !== undefined) done.push(before);
  });
  return done.length === 0 ? undefined : done;
}

/** Runs the action for all, a few at a time, in order of start. */
async function eachOf<T>(items: readonly T[], action: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await action(item);
  };
  await Promise.all(Array.from({ length: Math.min(requestsMax, items.length) }, lane));
}
