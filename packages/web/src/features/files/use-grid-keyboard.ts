import { useRef, type KeyboardEvent } from "react";
import { nowMs } from "../../lib/time.ts";
import { openMenu } from "../../ui/overlay-store.ts";
import { undo } from "../../ui/toast-store.ts";
import { menuForSelection } from "./actions.ts";
import { folderPages, useDrive } from "./drive-store.ts";
import { loadIds } from "./load-folder.ts";
import { idAtRow, rowOfId } from "./model/folder-pages.ts";
import {
  clear,
  focusOn,
  selectAll,
  selectForMenu,
  selectOnly,
  selectRange,
  toggle,
  type Selection,
} from "./model/selection.ts";
import { emptyTypeAhead, findTyped, withLetter } from "./model/type-ahead.ts";
import { trashEntries } from "./operations.ts";
import { selectedIds } from "./selected-ids.ts";
import { changeSelection, startRename, toggleDetails, useSelection } from "./selection-store.ts";

interface GridKeyboard {
  readonly folderId: number;
  readonly count: number;
  /** -1 when nothing has the keyboard yet. */
  readonly focusRow: number;
  readonly pageRows: number;
  readonly goToRow: (row: number) => void;
  readonly onOpen: (id: number) => void;
  readonly onUp: () => void;
}

/** The keys of the grid. They work only while the grid has the focus, as WCAG 2.1.4 asks. */
export function useGridKeyboard(grid: GridKeyboard): (event: KeyboardEvent) => void {
  const typed = useRef(emptyTypeAhead);
  return (event) => {
    const isPart = event.target instanceof HTMLElement && event.target.dataset["part"] === "more";
    if (event.target instanceof HTMLInputElement || isPart) return;
    const isHandled = moveKey(grid, event) || actionKey(grid, event) || letterKey(grid, event, typed);
    if (isHandled) event.preventDefault();
  };
}

function moveKey(grid: GridKeyboard, event: KeyboardEvent): boolean {
  if (event.altKey || grid.count === 0) return false;
  const last = grid.count - 1;
  const from = Math.max(0, grid.focusRow);
  const step = grid.focusRow < 0 ? 0 : 1;
  const targets: Readonly<Record<string, number>> = {
    ArrowDown: Math.min(last, from + step),
    ArrowUp: Math.max(0, from - step),
    Home: 0,
    End: last,
    PageDown: Math.min(last, from + grid.pageRows),
    PageUp: Math.max(0, from - grid.pageRows),
  };
  const row = targets[event.key];
  if (row === undefined) return false;
  void arriveAt(grid, row, event.shiftKey ? "extend" : event.ctrlKey || event.metaKey ? "focus" : "select");
  return true;
}

/** Goes to a row, reading its page first when it is not there. */
async function arriveAt(grid: GridKeyboard, row: number, how: "select" | "extend" | "focus"): Promise<void> {
  grid.goToRow(row);
  const id = idAtRow(folderPages(grid.folderId), row) ?? (await loadIds(grid.folderId, row, row))[0];
  if (id === undefined) return;
  if (how === "extend") await extendTo(grid.folderId, row, id);
  else changeSelection((selection) => (how === "focus" ? focusOn(selection, id) : selectOnly(id)));
  grid.goToRow(row);
}

/** Selects from the anchor to a row. */
export async function extendTo(folderId: number, row: number, id: number): Promise<void> {
  const { anchorId } = useSelection.getState().selection;
  const anchorRow = anchorId === undefined ? row : (rowOfId(folderPages(folderId), anchorId) ?? row);
  const ids = await loadIds(folderId, Math.min(anchorRow, row), Math.max(anchorRow, row));
  changeSelection((selection) => selectRange(selection, ids, id));
}

function actionKey(grid: GridKeyboard, event: KeyboardEvent): boolean {
  const { selection } = useSelection.getState();
  const focusId = selection.focusId;
  const isCommand = event.ctrlKey || event.metaKey;
  const key = event.key;
  if (key === "ArrowUp" && event.altKey) grid.onUp();
  else if (key === "Enter" && event.altKey) toggleDetails();
  else if (key === "Enter" && focusId !== undefined) grid.onOpen(focusId);
  else if (key === " " && focusId !== undefined) changeSelection((known) => toggle(known, focusId));
  else if (key === "F2" && focusId !== undefined) startRename(focusId);
  else if (key === "Escape") changeSelection(clear);
  else if (isCommand && key.toLowerCase() === "a") changeSelection(selectAll);
  else if (isCommand && key.toLowerCase() === "z") void undo();
  else if (key === "Delete") void trashSelected(grid.folderId, selection);
  else if ((key === "F10" && event.shiftKey) || key === "ContextMenu") openRowMenu(grid, event);
  else return false;
  return true;
}

async function trashSelected(folderId: number, selection: Selection): Promise<void> {
  const ids = await selectedIds(folderId, selection);
  await trashEntries(ids);
}

function openRowMenu(grid: GridKeyboard, event: KeyboardEvent): void {
  const { focusId } = useSelection.getState().selection;
  const row = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>("[data-row]") : null;
  if (focusId === undefined || row === null) return;
  changeSelection((selection) => selectForMenu(selection, focusId));
  const box = row.getBoundingClientRect();
  void selectedIds(grid.folderId, useSelection.getState().selection).then((ids) =>
    openMenu({
      label: "Actions",
      anchor: { x: box.left + 48, y: box.bottom },
      returnTo: row,
      items: menuForSelection(ids, { folderId: grid.folderId, open: grid.onOpen }),
    }),
  );
}

function letterKey(grid: GridKeyboard, event: KeyboardEvent, typed: { current: typeof emptyTypeAhead }): boolean {
  if (event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return false;
  typed.current = withLetter(typed.current, event.key, nowMs());
  const folder = folderPages(grid.folderId);
  const { entries } = useDrive.getState();
  const nameAt = (row: number) => entries.get(idAtRow(folder, row) ?? 0)?.name;
  const row = findTyped(typed.current, Math.max(0, grid.focusRow), { count: grid.count, nameAt });
  if (row !== undefined) void arriveAt(grid, row, "select");
  return true;
}
