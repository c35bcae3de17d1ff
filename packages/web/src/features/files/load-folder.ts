import { safeInteger } from "@holdfast/base";
import { explainFailure } from "../../lib/failure.ts";
import { drive } from "../../lib/rpc.ts";
import { folderPages, keepEntries, setFolderPages, useDrive } from "./drive-store.ts";
import { entryFromWire } from "./model/entry.ts";
import { idAtRow, pageRowsMax, pagesToFetch, withPage } from "./model/folder-pages.ts";

const requestsMax = 3;
let wanted: { readonly folderId: number; readonly page: number }[] = [];
const inFlight = new Map<string, Promise<void>>();

/**
 * Sees to it that the rows in view are there and fresh. Only the latest wish counts: pages that were scrolled past before their
 * request went out are never asked for.
 */
export function ensureRows(folderId: number, startRow: number, endRow: number): void {
  wanted = pagesToFetch(folderPages(folderId), startRow, endRow).map((page) => ({ folderId, page }));
  pump();
}

/** Reads a page now and waits for it. Errors go to the store, where the folder shows them. */
export function loadPage(folderId: number, page: number): Promise<void> {
  const key = `${folderId}/${page}`;
  const running = inFlight.get(key);
  if (running !== undefined) return running;
  const request = fetchPage(folderId, page).finally(() => {
    inFlight.delete(key);
    pump();
  });
  inFlight.set(key, request);
  return request;
}

/** The ids of all rows of a range, reading what is missing. */
export async function loadIds(folderId: number, firstRow: number, lastRow: number): Promise<number[]> {
  const missing = pagesToFetch(folderPages(folderId), firstRow, lastRow);
  for (let start = 0; start < missing.length; start += 4) {
    await Promise.all(missing.slice(start, start + 4).map((page) => loadPage(folderId, page)));
  }
  const ids: number[] = [];
  for (let row = firstRow; row <= lastRow; row++) {
    const id = idAtRow(folderPages(folderId), row);
    if (id !== undefined) ids.push(id);
  }
  return ids;
}

function pump(): void {
  while (inFlight.size < requestsMax) {
    const next = wanted.shift();
    if (next === undefined) return;
    const isNeeded = folderPages(next.folderId).pages.get(next.page)?.isStale !== false;
    if (isNeeded && !inFlight.has(`${next.folderId}/${next.page}`)) void loadPage(next.folderId, next.page);
  }
}

async function fetchPage(folderId: number, page: number): Promise<void> {
  try {
    const answer = await drive.listFolder({
      folderId: BigInt(folderId),
      offset: page * pageRowsMax,
      limit: pageRowsMax,
    });
    const entries = answer.entries.map(entryFromWire);
    const ancestors = answer.ancestors.map(entryFromWire);
    const folder = answer.folder === undefined ? [] : [entryFromWire(answer.folder)];
    keepEntries([...ancestors, ...folder, ...entries]);
    const ids = entries.map((entry) => entry.id);
    setFolderPages(
      folderId,
      withPage(folderPages(folderId), page, {
        ids,
        totalCount: answer.totalCount,
        readAtIndex: safeInteger(answer.index),
      }),
    );
    useDrive.setState((state) => {
      const failures = new Map(state.failures);
      failures.delete(folderId);
      return {
        failures,
        ancestors: new Map(state.ancestors).set(
          folderId,
          ancestors.map((entry) => entry.id),
        ),
      };
    });
  } catch (thrown) {
    useDrive.setState((state) => ({ failures: new Map(state.failures).set(folderId, explainFailure(thrown)) }));
  }
}
