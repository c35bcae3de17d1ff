import { randomBytes } from "node:crypto";
import { HoldfastError } from "@holdfast/base";
import { parseWords } from "../arguments.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../exit-code.ts";
import { entryAt, findEntry, folderAt, isFolder, joinPath, remotePath, splitPath } from "../remote-path.ts";
import { openSession, type Session } from "../session.ts";
import { withRetries } from "../transfer/retry.ts";

/** Random, kept over the retries of one wish so that it is carried out once. */
export function newRequestId(): string {
  return randomBytes(16).toString("hex");
}

/** Makes a folder and, with `withParents`, those above it. Returns its id. */
export async function makeFolder(session: Session, path: string, withParents: boolean): Promise<bigint> {
  if (path === "/") return (await entryAt(session, "/")).entryId;
  const { folder, name } = splitPath(path);
  const parentId = withParents ? await existingOrMade(session, folder) : (await folderAt(session, folder)).entryId;
  const requestId = newRequestId();
  const { entry } = await withRetries(() =>
    session.drive.createFolder({ requestId, parentId, name, keepExisting: withParents }),
  );
  if (entry === undefined)
    throw new HoldfastError("internal", `The server did not say which folder it made for ${path}.`);
  return entry.entryId;
}

async function existingOrMade(session: Session, path: string): Promise<bigint> {
  const found = await findEntry(session, path);
  if (found === undefined) return makeFolder(session, path, true);
  if (!isFolder(found))
    throw new HoldfastError("precondition", `${path} is a file, not a folder. Nothing was changed.`);
  return found.entryId;
}

export const mkdir: Command = {
  usage: "mkdir [-p] PATH...",
  summary: "make folders",
  async run(words, { output }) {
    const parsed = parseWords(
      words,
      { parents: { type: "boolean", short: "p" } },
      { min: 1, max: 1_000, usage: mkdir.usage },
    );
    const session = await openSession();
    const made: { path: string; entryId: string }[] = [];
    for (const word of parsed.positionals) {
      const path = remotePath(word);
      if (path === "/" && !parsed.flag("parents")) throw new HoldfastError("nameTaken", "/ exists.");
      made.push({ path, entryId: String(await makeFolder(session, path, parsed.flag("parents"))) });
    }
    output.document({ folders: made });
  },
};

export const rm: Command = {
  usage: "rm [-r] [--forever] PATH...",
  summary: "move to the trash, or delete for ever",
  async run(words, { output }) {
    const rules = { recursive: { type: "boolean", short: "r" }, forever: { type: "boolean" } } as const;
    const parsed = parseWords(words, rules, { min: 1, max: 10_000, usage: rm.usage });
    const session = await openSession();
    for (const word of parsed.positionals) {
      const path = remotePath(word);
      if (path === "/") throw new UsageError("The root folder cannot be removed.");
      const entry = await entryAt(session, path);
      if (isFolder(entry) && !parsed.flag("recursive") && entry.childCount > 0) {
        throw new HoldfastError(
          "notEmpty",
          `${path} is a folder that is not empty. Nothing was removed; use -r to remove it with all it holds.`,
        );
      }
      const requestId = newRequestId();
      const wish = { requestId, entryId: entry.entryId };
      if (parsed.flag("forever")) await withRetries(() => session.drive.purgeEntry(wish));
      else
        await withRetries(() =>
          session.drive.trashEntry({ ...wish, onlyIfEmpty: !parsed.flag("recursive") && isFolder(entry) }),
        );
      output.record({ path, removed: parsed.flag("forever") ? "forever" : "trash" });
    }
  },
};

export const mv: Command = {
  usage: "mv SOURCE... TARGET",
  summary: "rename or move",
  async run(words, { output }) {
    const parsed = parseWords(words, {}, { min: 2, max: 10_000, usage: mv.usage });
    const session = await openSession();
    const target = parsed.positionals.at(-1) ?? "";
    const targetPath = remotePath(target);
    const sources = parsed.positionals.slice(0, -1).map(remotePath);
    const existing = await findEntry(session, targetPath);
    const isInto = existing !== undefined && isFolder(existing);
    if (!isInto && (sources.length > 1 || target.endsWith("/")))
      throw new HoldfastError("notFound", `${targetPath} is not a folder. Nothing was moved.`);
    for (const source of sources) {
      const entry = await entryAt(session, source);
      const place = isInto ? { folder: targetPath, name: splitPath(source).name } : splitPath(targetPath);
      const parentId = isInto ? existing.entryId : (await folderAt(session, place.folder)).entryId;
      const wish = {
        requestId: newRequestId(),
        entryId: entry.entryId,
        targetParentId: parentId,
        targetName: place.name,
      };
      await withRetries(() => session.drive.moveEntry(wish));
      output.record({ source, target: joinPath(place.folder, place.name) });
    }
  },
};
