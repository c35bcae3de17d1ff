import { must } from "@holdfast/base";

/** One folder of a batch. */
interface BatchFolder {
  state: "waiting" | "making" | "ready" | "failed";
  entryId: number;
  /** Files and folders that wait for it. */
  readonly heldItemIds: number[];
  readonly heldPaths: string[];
}

/** A drop or a choice of files: where it goes, and the folders that have to be there before their files. */
export interface UploadBatch {
  readonly batchId: number;
  readonly folderName: string;
  readonly folders: Map<string, BatchFolder>;
  /** Folders whose parent is ready, in order. */
  readonly creatable: string[];
}

/** A batch into an existing folder. */
export function makeBatch(
  batchId: number,
  target: { readonly parentId: number; readonly folderName: string },
): UploadBatch {
  const root: BatchFolder = { state: "ready", entryId: target.parentId, heldItemIds: [], heldPaths: [] };
  return { batchId, folderName: target.folderName, folders: new Map([["", root]]), creatable: [] };
}

/** Adds a folder and those above it. */
export function addFolder(batch: UploadBatch, path: string): void {
  if (path === "" || batch.folders.has(path)) return;
  const parentPath = parentOf(path);
  addFolder(batch, parentPath);
  batch.folders.set(path, { state: "waiting", entryId: 0, heldItemIds: [], heldPaths: [] });
  const parent = batch.folders.get(parentPath);
  if (parent?.state === "ready") batch.creatable.push(path);
  else parent?.heldPaths.push(path);
}

/** Takes the next folder that can be made: its parent is there. */
export function takeCreatable(
  batch: UploadBatch,
): { readonly path: string; readonly parentId: number; readonly name: string } | undefined {
  const path = batch.creatable.shift();
  if (path === undefined) return undefined;
  const parent = must(batch.folders.get(parentOf(path)), "a folder's parent is known");
  return { path, parentId: parent.entryId, name: path.slice(path.lastIndexOf("/") + 1) };
}

/** Keeps a file until its folder is there; answers whether it can go at once. */
export function holdUntilReady(batch: UploadBatch, path: string, itemId: number): "ready" | "held" | "failed" {
  addFolder(batch, path);
  const folder = batch.folders.get(path);
  if (folder === undefined || folder.state === "failed") return "failed";
  if (folder.state === "ready") return "ready";
  folder.heldItemIds.push(itemId);
  return "held";
}

/** A folder is there: answers the files that may go now. */
export function folderReady(batch: UploadBatch, path: string, entryId: number): readonly number[] {
  const folder = batch.folders.get(path);
  if (folder === undefined) return [];
  folder.state = "ready";
  folder.entryId = entryId;
  batch.creatable.push(...folder.heldPaths.splice(0));
  return folder.heldItemIds.splice(0);
}

/** A folder cannot be made: answers every file below it. A later retry makes it creatable again. */
export function folderFailed(batch: UploadBatch, path: string): readonly number[] {
  const folder = batch.folders.get(path);
  if (folder === undefined) return [];
  folder.state = "failed";
  const below = folder.heldPaths.flatMap((child) => folderFailed(batch, child));
  return [...folder.heldItemIds.splice(0), ...below];
}

/** Forgets that a folder and those above it failed. */
export function reviveFolder(batch: UploadBatch, path: string): void {
  const folder = batch.folders.get(path);
  if (path === "" || folder?.state !== "failed") return;
  const parentPath = parentOf(path);
  reviveFolder(batch, parentPath);
  folder.state = "waiting";
  folder.heldPaths.length = 0;
  const parent = batch.folders.get(parentPath);
  if (parent?.state === "ready") batch.creatable.push(path);
  else parent?.heldPaths.push(path);
}

/** "a/b" of "a/b/c". */
function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}
