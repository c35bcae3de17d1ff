import { useVirtualizer, defaultRangeExtractor, type Range } from "@tanstack/react-virtual";
import { useCallback, useEffect, useRef, type ReactNode } from "react";
import { useMedia } from "../../ui/use-media.ts";
import { useDrive } from "./drive-store.ts";
import { EmptyFolder } from "./empty-folder.tsx";
import styles from "./file-grid.module.css";
import { FileRow } from "./file-row.tsx";
import { ensureRows } from "./load-folder.ts";
import { emptyFolderPages, idAtRow, rowOfId } from "./model/folder-pages.ts";
import { isSelected, withoutVanished } from "./model/selection.ts";
import { changeSelection, useSelection } from "./selection-store.ts";
import { useGridKeyboard } from "./use-grid-keyboard.ts";
import { useGridPointer } from "./use-grid-pointer.ts";

interface FileGridProps {
  readonly folderId: number;
  readonly folderName: string;
  readonly onOpen: (id: number) => void;
  readonly onUp: () => void;
}

/** The rows of a folder: a virtual ARIA grid that reads only the pages in view, whatever the folder's size. */
export function FileGrid({ folderId, folderName, onOpen, onUp }: FileGridProps): ReactNode {
  const folder = useDrive((state) => state.folders.get(folderId)) ?? emptyFolderPages;
  const connection = useDrive((state) => state.connection);
  const selection = useSelection((state) => state.selection);
  const rowHeight = useMedia("(max-width: 639px)") ? 56 : 40;
  const scroller = useRef<HTMLDivElement>(null);
  const count = folder.totalCount ?? 0;
  const focusRow = selection.focusId === undefined ? -1 : (rowOfId(folder, selection.focusId) ?? -1);
  const tabRow = Math.max(0, focusRow);
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    rangeExtractor: useCallback(
      (range: Range) => withPinned(defaultRangeExtractor(range), tabRow, count),
      [tabRow, count],
    ),
  });
  useEffect(() => virtualizer.measure(), [rowHeight, virtualizer]);
  const { startIndex, endIndex } = virtualizer.range ?? { startIndex: 0, endIndex: 40 };
  useEffect(
    () => ensureRows(folderId, startIndex - 20, endIndex + 20),
    [folderId, folder, startIndex, endIndex, connection],
  );
  useVanishedRows(folderId, focusRow);
  const focusAfterRender = useFocusFollowing(scroller, tabRow, selection.focusId);
  const goToRow = (row: number) => {
    virtualizer.scrollToIndex(row);
    focusAfterRender();
  };
  const onKeyDown = useGridKeyboard({
    folderId,
    count,
    focusRow,
    goToRow,
    onOpen,
    onUp,
    pageRows: Math.max(1, endIndex - startIndex - 1),
  });
  const { dropRow, handlers } = useGridPointer({ folderId, folder, onOpen });

  return (
    <div
      className={styles["grid"]}
      role="grid"
      aria-label={folderName}
      aria-multiselectable
      aria-rowcount={count + 1}
      aria-colcount={3}
      onKeyDown={onKeyDown}
    >
      <GridHeader />
      <div
        ref={scroller}
        className={`${styles["scroller"]} ${dropRow === "folder" ? styles["dropHere"] : ""}`}
        role="rowgroup"
        {...handlers}
        data-testid="rows"
      >
        <div className={styles["canvas"]} style={{ height: virtualizer.getTotalSize() }} role="presentation">
          {virtualizer.getVirtualItems().map((item) => {
            const id = idAtRow(folder, item.index);
            return (
              <FileRow
                key={id ?? `row ${item.index}`}
                id={id}
                row={item.index}
                top={item.start}
                isSelected={id !== undefined && isSelected(selection, id)}
                isTabStop={item.index === tabRow}
                isDropTarget={dropRow === item.index}
              />
            );
          })}
        </div>
        {count === 0 && folder.totalCount !== undefined && <EmptyFolder folderId={folderId} folderName={folderName} />}
      </div>
    </div>
  );
}

function GridHeader(): ReactNode {
  return (
    <div role="rowgroup" className={styles["head"]}>
      <div role="row" aria-rowindex={1} className={styles["headRow"]}>
        <div role="columnheader" aria-sort="ascending" className={styles["headName"]}>
          Name
        </div>
        <div role="columnheader" className={styles["headWhen"]}>
          Modified
        </div>
        <div role="columnheader" className={styles["headSize"]}>
          Size
        </div>
      </div>
    </div>
  );
}

/** The row that has the keyboard stays mounted wherever the list is scrolled, else the focus would drop to the body. */
function withPinned(rows: number[], pinnedRow: number, count: number): number[] {
  if (pinnedRow >= count || rows.includes(pinnedRow)) return rows;
  return [...rows, pinnedRow].sort((left, right) => left - right);
}

/** Selected rows that went away leave the selection; the keyboard goes to the row that took the place. */
function useVanishedRows(folderId: number, focusRow: number): void {
  const lastRow = useRef(0);
  if (focusRow >= 0) lastRow.current = focusRow;
  const tick = useDrive((state) => state.tick);
  useEffect(() => {
    const { entries, folders } = useDrive.getState();
    const folder = folders.get(folderId) ?? emptyFolderPages;
    const { selection } = useSelection.getState();
    const watched = new Set([
      ...(selection.mode === "some" ? selection.ids : []),
      ...(selection.focusId === undefined ? [] : [selection.focusId]),
    ]);
    for (const id of watched) {
      if (entries.get(id)?.parentId === folderId) continue;
      const nextRow = Math.min(lastRow.current, (folder.totalCount ?? 1) - 1);
      changeSelection((known) => withoutVanished(known, id, idAtRow(folder, nextRow)));
    }
  }, [tick, folderId]);
}

/** Puts the browser's focus on the row that has the keyboard, once it is mounted and only when the grid already had the focus. */
function useFocusFollowing(
  scroller: React.RefObject<HTMLDivElement | null>,
  tabRow: number,
  focusId: number | undefined,
): () => void {
  const isWanted = useRef(false);
  const hadFocus = useRef(false);
  useEffect(() => {
    const body = scroller.current;
    if (body === null) return;
    const isInside = body.contains(document.activeElement);
    const isLost = hadFocus.current && document.activeElement === document.body;
    if ((isWanted.current || isInside || isLost) && !(document.activeElement instanceof HTMLInputElement)) {
      const row = body.querySelector<HTMLElement>(`[data-row="${tabRow}"]`);
      if (row !== null && row !== document.activeElement && !row.contains(document.activeElement))
        row.focus({ preventScroll: true });
      if (row !== null) isWanted.current = false;
    }
    hadFocus.current = body.contains(document.activeElement);
  });
  useEffect(() => {
    isWanted.current ||= hadFocus.current;
  }, [focusId]);
  return () => {
    isWanted.current = true;
  };
}
