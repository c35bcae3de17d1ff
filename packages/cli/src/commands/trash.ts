import type { Entry } from "@holdfast/proto/model/v1/model";
import { formatBytes, HoldfastError } from "@holdfast/base";
import { parseWords } from "../arguments.ts";
import type { Command } from "../command.ts";
import { formatTable, formatTime } from "../output.ts";
import { isFolder } from "../remote-path.ts";
import { openSession, type Session } from "../session.ts";
import { withRetries } from "../transfer/retry.ts";
import { newRequestId } from "./change.ts";

async function* trashed(session: Session): AsyncIterable<Entry> {
  let cursor: Uint8Array = new Uint8Array();
  do {
    const from = cursor;
    const page = await withRetries(() => session.drive.listTrash({ limit: 1_000, cursor: from }));
    yield* page.entries;
    cursor = page.cursor;
  } while (cursor.length > 0);
}

/** By id, or by name when only one has it. */
async function trashedEntry(session: Session, word: string): Promise<Entry> {
  const matches: Entry[] = [];
  for await (const entry of trashed(session)) {
    if (String(entry.entryId) === word) return entry;
    if (entry.name === word) matches.push(entry);
  }
  const [only, another] = matches;
  if (only === undefined) throw new HoldfastError("notFound", `The trash has no entry with the id or name "${word}".`);
  if (another !== undefined)
    throw new HoldfastError(
      "precondition",
      `The trash has ${matches.length} entries named "${word}". Name one by its id (holdfast trash ls).`,
    );
  return only;
}

export const trashLs: Command = {
  usage: "trash ls",
  summary: "what is in the trash",
  async run(words, { output }) {
    parseWords(words, {}, { min: 0, max: 0, usage: trashLs.usage });
    const entries: Entry[] = [];
    for await (const entry of trashed(await openSession())) entries.push(entry);
    output.document({
      entries: entries.map((entry) => ({
        entryId: String(entry.entryId),
        name: entry.name,
        type: isFolder(entry) ? "folder" : "file",
        sizeBytes: Number(entry.sizeBytes),
        trashedAt: new Date(Number(entry.trashedAtMs)).toISOString(),
      })),
    });
    if (entries.length === 0) output.line("The trash is empty.");
    else
      output.line(
        formatTable(
          ["ID", "SIZE", "TRASHED", "NAME"],
          entries.map((entry) => [
            Number(entry.entryId),
            isFolder(entry) ? "-" : formatBytes(Number(entry.sizeBytes)),
            formatTime(Number(entry.trashedAtMs)),
            entry.name,
          ]),
        ),
      );
  },
};

export const trashRestore: Command = {
  usage: "trash restore ID-OR-NAME...",
  summary: "put back where it was",
  async run(words, { output }) {
    const parsed = parseWords(words, {}, { min: 1, max: 10_000, usage: trashRestore.usage });
    const session = await openSession();
    for (const word of parsed.positionals) {
      const entry = await trashedEntry(session, word);
      const wish = { requestId: newRequestId(), entryId: entry.entryId };
      const restored = await withRetries(() => session.drive.restoreEntry(wish));
      output.record({ entryId: String(entry.entryId), name: restored.entry?.name });
    }
  },
};

export const trashPurge: Command = {
  usage: "trash purge [ID-OR-NAME...]",
  summary: "delete for ever: the named ones, or all",
  async run(words, { output }) {
    const parsed = parseWords(words, {}, { min: 0, max: 10_000, usage: trashPurge.usage });
    const session = await openSession();
    const chosen: Entry[] = [];
    if (parsed.positionals.length === 0) for await (const entry of trashed(session)) chosen.push(entry);
    else for (const word of parsed.positionals) chosen.push(await trashedEntry(session, word));
    for (const entry of chosen) {
      const wish = { requestId: newRequestId(), entryId: entry.entryId };
      await withRetries(() => session.drive.purgeEntry(wish));
      output.record({ entryId: String(entry.entryId), name: entry.name });
    }
    output.line(`${chosen.length} deleted for ever.`);
  },
};
