import type { Entry } from "@holdfast/proto/model/v1/model";
import { EntryKind } from "@holdfast/proto/model/v1/model";
import { HoldfastError, isHoldfastError } from "@holdfast/base";
import { UsageError } from "./exit-code.ts";
import type { Session } from "./session.ts";
import { withRetries } from "./transfer/retry.ts";

/** A remote path, checked: absolute, without "." and "..", without a trailing slash but for the root. */
export function remotePath(text: string): string {
  if (!text.startsWith("/")) throw new UsageError(`"${text}" is not a remote path: it must start with "/".`);
  const parts = text.split("/").filter((part) => part !== "");
  if (parts.some((part) => part === "." || part === ".."))
    throw new UsageError(`The remote path "${text}" must not contain "." or "..".`);
  return `/${parts.join("/").normalize("NFC")}`;
}

/** The folder part and the last name of a path below the root. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const slash = path.lastIndexOf("/");
  return { folder: slash === 0 ? "/" : path.slice(0, slash), name: path.slice(slash + 1) };
}

/** Joins a folder's path and a name. */
export function joinPath(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}

/** The entry at a path. Errors: `notFound`. */
export async function entryAt(session: Session, path: string): Promise<Entry> {
  const { entry } = await withRetries(() => session.drive.getEntry({ path }));
  if (entry === undefined) throw new HoldfastError("notFound", `${path} does not exist.`);
  return entry;
}

/** The entry at a path, or undefined. */
export async function findEntry(session: Session, path: string): Promise<Entry | undefined> {
  try {
    return await entryAt(session, path);
  } catch (error) {
    if (isHoldfastError(error, "notFound")) return undefined;
    throw error;
  }
}

/** The folder at a path. Errors: `notFound`, `precondition` when it is a file. */
export async function folderAt(session: Session, path: string): Promise<Entry> {
  const entry = await entryAt(session, path);
  if (!isFolder(entry)) throw new HoldfastError("precondition", `${path} is a file, not a folder.`);
  return entry;
}

/** Whether it is a folder. */
export function isFolder(entry: Entry): boolean {
  return entry.kind === EntryKind.FOLDER;
}

/** All children of a folder in order, page by page. */
export async function* childrenOf(session: Session, folderId: bigint): AsyncIterable<Entry> {
  let cursor: Uint8Array = new Uint8Array();
  do {
    const from = cursor;
    const page = await withRetries(() => session.drive.listFolder({ folderId, limit: 1_000, cursor: from }));
    yield* page.entries;
    cursor = page.cursor;
  } while (cursor.length > 0);
}

/** Everything below a folder, parents before children; `path` is relative to it ("a/b.txt"). */
export async function* walk(
  session: Session,
  folderId: bigint,
  prefix = "",
): AsyncIterable<{ readonly path: string; readonly entry: Entry }> {
  for await (const entry of childrenOf(session, folderId)) {
    const path = `${prefix}${entry.name}`;
    yield { path, entry };
    if (isFolder(entry)) yield* walk(session, entry.entryId, `${path}/`);
  }
}
