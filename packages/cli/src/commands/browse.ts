import type { Entry } from "@holdfast/proto/model/v1/model";
import { formatBytes, toHex } from "@holdfast/base";
import { parseWords } from "../arguments.ts";
import type { Command } from "../command.ts";
import { formatTable, formatTime } from "../output.ts";
import { childrenOf, entryAt, isFolder, remotePath, splitPath, walk } from "../remote-path.ts";
import { openSession } from "../session.ts";

/** An entry as `--json` shows it. */
function entryDocument(entry: Entry, path: string): Record<string, unknown> {
  return {
    path,
    name: entry.name,
    type: isFolder(entry) ? "folder" : "file",
    entryId: String(entry.entryId),
    sizeBytes: Number(entry.sizeBytes),
    modifiedAt: new Date(Number(entry.modifiedAtMs)).toISOString(),
    createdAt: new Date(Number(entry.createdAtMs)).toISOString(),
    ...(isFolder(entry)
      ? { childCount: entry.childCount }
      : { versionId: String(entry.versionId), sha256: toHex(entry.sha256) }),
  };
}

const display = (entry: Entry, path: string): string => (isFolder(entry) ? `${path}/` : path);

export const ls: Command = {
  usage: "ls [-l] [-R] PATH",
  summary: "list a folder",
  async run(words, { output }) {
    const rules = { long: { type: "boolean", short: "l" }, recursive: { type: "boolean", short: "R" } } as const;
    const parsed = parseWords(words, rules, { min: 0, max: 1, usage: ls.usage });
    const path = remotePath(parsed.positionals[0] ?? "/");
    const session = await openSession();
    const top = await entryAt(session, path);
    const rows: { path: string; entry: Entry }[] = [];
    if (!isFolder(top)) rows.push({ path: splitPath(path).name, entry: top });
    else if (parsed.flag("recursive")) for await (const row of walk(session, top.entryId)) rows.push(row);
    else for await (const entry of childrenOf(session, top.entryId)) rows.push({ path: entry.name, entry });
    output.document({ path, entries: rows.map((row) => entryDocument(row.entry, row.path)) });
    if (parsed.flag("long") && rows.length > 0) {
      output.line(
        formatTable(
          ["SIZE", "MODIFIED", "NAME"],
          rows.map(({ path: name, entry }) => [
            isFolder(entry) ? "-" : formatBytes(Number(entry.sizeBytes)),
            formatTime(Number(entry.modifiedAtMs)),
            display(entry, name),
          ]),
        ),
      );
    } else for (const row of rows) output.line(display(row.entry, row.path));
  },
};

export const stat: Command = {
  usage: "stat PATH",
  summary: "everything about one entry",
  async run(words, { output }) {
    const parsed = parseWords(words, {}, { min: 1, max: 1, usage: stat.usage });
    const path = remotePath(parsed.positionals[0] ?? "");
    const document = entryDocument(await entryAt(await openSession(), path), path);
    output.document(document);
    for (const [name, value] of Object.entries(document)) output.line(`${name.padEnd(12)}${String(value)}`);
  },
};

export const du: Command = {
  usage: "du PATH",
  summary: "how much a folder holds",
  async run(words, { output }) {
    const parsed = parseWords(words, {}, { min: 0, max: 1, usage: du.usage });
    const path = remotePath(parsed.positionals[0] ?? "/");
    const session = await openSession();
    const top = await entryAt(session, path);
    let bytes = Number(top.sizeBytes);
    let files = isFolder(top) ? 0 : 1;
    let folders = 0;
    if (isFolder(top)) {
      for await (const { entry } of walk(session, top.entryId)) {
        if (isFolder(entry)) folders++;
        else files++;
        bytes += Number(entry.sizeBytes);
      }
    }
    output.document({ path, bytes, files, folders });
    output.line(`${formatBytes(bytes)}  ${files} files  ${folders} folders  ${path}`);
  },
};
