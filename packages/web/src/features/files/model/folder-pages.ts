/** Rows of one page; the server's default too. */
export const pageRowsMax = 200;

/** One fetched page. A stale one is still shown, and fetched again when it comes into view. */
export interface FolderPage {
  readonly ids: readonly number[];
  readonly isStale: boolean;
  /** Log index it was read at; live changes behind it are folded in. */
  readonly readAtIndex: number;
}

/**
 * What the page knows of one folder's rows: how many there are, and some pages of them. Rows are never all needed.
 * Values are immutable; every function answers with the next one.
 */
export interface FolderPages {
  /** Rows in all; undefined before the first answer. */
  readonly totalCount: number | undefined;
  /** Log index of the newest live change that was folded in. */
  readonly changedAtIndex: number;
  readonly pages: ReadonlyMap<number, FolderPage>;
}

/** Nothing known yet. */
export const emptyFolderPages: FolderPages = { totalCount: undefined, changedAtIndex: 0, pages: new Map() };

/** The id at a row, or undefined when its page is not there. */
export function idAtRow(folder: FolderPages, rowIndex: number): number | undefined {
  return folder.pages.get(Math.floor(rowIndex / pageRowsMax))?.ids[rowIndex % pageRowsMax];
}

/** The row of an id among the known pages, or undefined. */
export function rowOfId(folder: FolderPages, id: number): number | undefined {
  for (const [pageNumber, page] of folder.pages) {
    const offset = page.ids.indexOf(id);
    if (offset >= 0) return pageNumber * pageRowsMax + offset;
  }
  return undefined;
}

/** Page numbers that rows `startRow` to `endRow` (inclusive) need and that are missing or stale. */
export function pagesToFetch(folder: FolderPages, startRow: number, endRow: number): number[] {
  const lastRow = Math.min(endRow, (folder.totalCount ?? pageRowsMax) - 1);
  const needed: number[] = [];
  for (
    let page = Math.floor(Math.max(0, startRow) / pageRowsMax);
    page <= Math.floor(Math.max(0, lastRow) / pageRowsMax);
    page++
  ) {
    if (folder.pages.get(page)?.isStale !== false) needed.push(page);
  }
  return needed;
}

/** An answered page. `readAtIndex` older than a live change already shown leaves the page stale, so it is read again. */
export function withPage(
  folder: FolderPages,
  pageNumber: number,
  answer: { readonly ids: readonly number[]; readonly totalCount: number; readonly readAtIndex: number },
): FolderPages {
  const hasMoved = folder.totalCount !== undefined && folder.totalCount !== answer.totalCount;
  const pages = new Map<number, FolderPage>();
  const lastPage = Math.max(0, Math.ceil(answer.totalCount / pageRowsMax) - 1);
  for (const [number, page] of folder.pages) {
    if (number <= lastPage) pages.set(number, hasMoved ? { ...page, isStale: true } : page);
  }
  pages.set(pageNumber, {
    ids: answer.ids,
    isStale: answer.readAtIndex < folder.changedAtIndex,
    readAtIndex: answer.readAtIndex,
  });
  return { ...folder, totalCount: answer.totalCount, pages };
}

/** Everything is read again when it is next looked at; what is shown stays. */
export function withAllStale(folder: FolderPages): FolderPages {
  const pages = new Map<number, FolderPage>();
  for (const [number, page] of folder.pages) pages.set(number, { ...page, isStale: true });
  return { ...folder, pages };
}

/** The change feed begins at `index`: what was read before it may have missed something and is read again. */
export function withFeedFrom(folder: FolderPages, index: number): FolderPages {
  const pages = new Map<number, FolderPage>();
  for (const [number, page] of folder.pages)
    pages.set(number, page.readAtIndex < index ? { ...page, isStale: true } : page);
  return { ...folder, changedAtIndex: Math.max(index, folder.changedAtIndex), pages };
}

/** Remembers that a live change at `index` was seen. */
export function withChangeAt(folder: FolderPages, index: number): FolderPages {
  return index <= folder.changedAtIndex ? folder : { ...folder, changedAtIndex: index };
}

/** Without a row that left the folder: rows behind it move up, and where the next page is unknown a page turns stale. */
export function withoutId(folder: FolderPages, id: number): FolderPages {
  const row = rowOfId(folder, id);
  if (folder.totalCount === undefined) return folder;
  if (row === undefined)
    return isComplete(folder) ? folder : withAllStale({ ...folder, totalCount: Math.max(0, folder.totalCount - 1) });
  return splice(folder, { row, removedCount: 1, inserted: [] });
}

/**
 * With a row that came into the folder, where `isBefore(knownId)` first says the new one sorts before a known row. When the place lies
 * in pages that are not there, the pages behind turn stale.
 */
export function withInsertedId(folder: FolderPages, id: number, isBefore: (knownId: number) => boolean): FolderPages {
  if (folder.totalCount === undefined || rowOfId(folder, id) !== undefined) return folder;
  const row = findInsertionRow(folder, isBefore);
  if (row === undefined) return withAllStale({ ...folder, totalCount: folder.totalCount + 1 });
  return splice(folder, { row, removedCount: 0, inserted: [id] });
}

/** Whether every row is known and fresh. */
export function isComplete(folder: FolderPages): boolean {
  return folder.totalCount !== undefined && pagesToFetch(folder, 0, folder.totalCount - 1).length === 0;
}

function findInsertionRow(folder: FolderPages, isBefore: (knownId: number) => boolean): number | undefined {
  const numbers = [...folder.pages.keys()].sort((left, right) => left - right);
  let previous = -1;
  for (const number of numbers) {
    const ids = folder.pages.get(number)?.ids ?? [];
    const offset = ids.findIndex((known) => isBefore(known));
    if (offset > 0 || (offset === 0 && previous === number - 1)) return number * pageRowsMax + offset;
    if (offset === 0) return undefined;
    previous = number;
  }
  const knownCount = previous < 0 ? 0 : previous * pageRowsMax + (folder.pages.get(previous)?.ids.length ?? 0);
  return knownCount === folder.totalCount ? knownCount : undefined;
}

function splice(
  folder: FolderPages,
  change: { readonly row: number; readonly removedCount: number; readonly inserted: readonly number[] },
): FolderPages {
  const totalCount = Math.max(0, (folder.totalCount ?? 0) - change.removedCount + change.inserted.length);
  const firstPage = Math.floor(change.row / pageRowsMax);
  const pages = new Map<number, FolderPage>();
  for (const [number, page] of folder.pages) if (number < firstPage) pages.set(number, page);
  const run: number[] = [];
  let next = firstPage;
  for (let page = folder.pages.get(next); page !== undefined; page = folder.pages.get(next)) {
    run.push(...page.ids);
    next += 1;
  }
  run.splice(change.row - firstPage * pageRowsMax, change.removedCount, ...change.inserted);
  for (let number = firstPage, taken = 0; taken < run.length || number === firstPage; number++, taken += pageRowsMax) {
    const ids = run.slice(taken, taken + pageRowsMax);
    const expectedCount = Math.min(pageRowsMax, totalCount - number * pageRowsMax);
    const isStale = folder.pages.get(number)?.isStale === true || ids.length < expectedCount;
    const readAtIndex = folder.pages.get(number)?.readAtIndex ?? folder.changedAtIndex;
    if (ids.length > 0 && number * pageRowsMax < totalCount) pages.set(number, { ids, isStale, readAtIndex });
  }
  for (const [number, page] of folder.pages) {
    if (number >= next && number * pageRowsMax < totalCount) pages.set(number, { ...page, isStale: true });
  }
  return { ...folder, totalCount, pages };
}
