import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  emptyFolderPages,
  idAtRow,
  isComplete,
  pageRowsMax,
  pagesToFetch,
  rowOfId,
  withAllStale,
  withChangeAt,
  withFeedFrom,
  withInsertedId,
  withoutId,
  withPage,
  type FolderPages,
} from "./folder-pages.ts";

const ids = (first: number, count: number) => Array.from({ length: count }, (_, step) => (first + step) * 10);

/** A folder of `total` rows with ids 0, 10, 20 ... whose given pages are loaded. */
function folderOf(total: number, pages: readonly number[]): FolderPages {
  let folder = emptyFolderPages;
  for (const page of pages)
    folder = withPage(folder, page, {
      ids: ids(page * pageRowsMax, Math.min(pageRowsMax, total - page * pageRowsMax)),
      totalCount: total,
      readAtIndex: 1,
    });
  return folder;
}

const before = (id: number) => (known: number) => id < known;

describe("folder pages", () => {
  test("asks for the first page of an unknown folder, then for the pages in view only", () => {
    expect(pagesToFetch(emptyFolderPages, 0, 60)).toEqual([0]);
    const folder = folderOf(100_000, [0]);
    expect(pagesToFetch(folder, 0, 150)).toEqual([]);
    expect(pagesToFetch(folder, 50_000, 50_050)).toEqual([250]);
    expect(pagesToFetch(folder, 99_990, 100_040)).toEqual([499]);
  });

  test("an insertion shifts rows across page borders", () => {
    const folder = withInsertedId(folderOf(450, [0, 1, 2]), 1005, before(1005));
    expect(folder.totalCount).toBe(451);
    expect(rowOfId(folder, 1005)).toBe(101);
    expect(idAtRow(folder, 102)).toBe(1010);
    expect(idAtRow(folder, 200)).toBe(1990);
    expect(idAtRow(folder, 450)).toBe(4490);
    expect(isComplete(folder)).toBe(true);
  });

  test("a removal in front of a gap turns only what is behind it stale", () => {
    const folder = withoutId(folderOf(1000, [0, 1, 4]), 50);
    expect(folder.totalCount).toBe(999);
    expect(idAtRow(folder, 5)).toBe(60);
    expect(pagesToFetch(folder, 0, 199)).toEqual([]);
    expect(pagesToFetch(folder, 200, 399)).toEqual([1]);
    expect(pagesToFetch(folder, 800, 999)).toEqual([4]);
  });

  test("an insertion whose place is in an unknown page makes everything be read again", () => {
    const folder = withInsertedId(folderOf(1000, [0, 4]), 5005, before(5005));
    expect(folder.totalCount).toBe(1001);
    expect(pagesToFetch(folder, 0, 10)).toEqual([0]);
  });

  test("an answer older than a live change is shown but read again", () => {
    const folder = withPage(withChangeAt(folderOf(10, [0]), 7), 0, { ids: ids(0, 10), totalCount: 10, readAtIndex: 6 });
    expect(pagesToFetch(folder, 0, 9)).toEqual([0]);
    const fresh = withPage(folder, 0, { ids: ids(0, 10), totalCount: 10, readAtIndex: 7 });
    expect(pagesToFetch(fresh, 0, 9)).toEqual([]);
  });

  test("another total makes the other pages stale and drops those behind the end", () => {
    const folder = withPage(folderOf(600, [0, 1, 2]), 0, { ids: ids(0, 200), totalCount: 390, readAtIndex: 2 });
    expect(new Set(folder.pages.keys())).toEqual(new Set([0, 1]));
    expect(folder.pages.get(1)?.isStale).toBe(true);
  });

  test("the same row twice, or into an unread folder, changes nothing", () => {
    const folder = folderOf(10, [0]);
    expect(withInsertedId(folder, 50, before(50))).toBe(folder);
    expect(withInsertedId(emptyFolderPages, 50, before(50))).toBe(emptyFolderPages);
    expect(withoutId(emptyFolderPages, 50)).toBe(emptyFolderPages);
  });

  test("the last row can go", () => {
    const folder = withoutId(folderOf(1, [0]), 0);
    expect(folder.totalCount).toBe(0);
    expect(idAtRow(folder, 0)).toBeUndefined();
  });

  test("any run of insertions and removals on a whole folder equals a sorted list", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 700 })), { maxLength: 60 }), (steps) => {
        let folder = folderOf(450, [0, 1, 2]);
        const model = new Set(ids(0, 450));
        for (const [isInsertion, id] of steps) {
          if (isInsertion) folder = withInsertedId(folder, id, before(id));
          else if (model.has(id)) folder = withoutId(folder, id);
          if (isInsertion) model.add(id);
          else model.delete(id);
        }
        const expected = [...model].sort((left, right) => left - right);
        expect(folder.totalCount).toBe(expected.length);
        expect(expected.map((_, row) => idAtRow(folder, row))).toEqual(expected);
      }),
    );
  });

  test("a feed that begins later than a page was read makes that page be read again, and only that", () => {
    const folder = withPage(folderOf(450, [0, 1, 2]), 1, { ids: ids(200, 200), totalCount: 450, readAtIndex: 9 });
    expect(pagesToFetch(withFeedFrom(folder, 9), 0, 449)).toEqual([0, 2]);
    expect(pagesToFetch(withFeedFrom(folder, 1), 0, 449)).toEqual([]);
  });

  test("stale pages keep their rows", () => {
    const folder = withAllStale(folderOf(10, [0]));
    expect(idAtRow(folder, 3)).toBe(30);
    expect(pagesToFetch(folder, 0, 9)).toEqual([0]);
  });
});
