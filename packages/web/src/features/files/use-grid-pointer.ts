import { useState, type DragEvent, type MouseEvent } from "react";
import { openMenu } from "../../ui/overlay-store.ts";
import { menuForSelection } from "./actions.ts";
import { canDropOn, dragKind, dropOn, startDrag } from "./drag.ts";
import { useDrive } from "./drive-store.ts";
import { idAtRow, type FolderPages } from "./model/folder-pages.ts";
import { clear, isSelected, selectedCount, selectForMenu, selectOnly, toggle } from "./model/selection.ts";
import { selectedIds } from "./selected-ids.ts";
import { changeSelection, useSelection } from "./selection-store.ts";
import { extendTo } from "./use-grid-keyboard.ts";

interface GridPointer {
  readonly folderId: number;
  readonly folder: FolderPages;
  readonly onOpen: (id: number) => void;
}

interface Hit {
  readonly row: number;
  readonly id: number;
  readonly element: HTMLElement;
  readonly part: string;
}

/** Mouse, touch and drag on the grid, handled once for all rows. `dropRow` is the row (or the whole folder) a drop would go to. */
export function useGridPointer(grid: GridPointer): {
  readonly dropRow: number | "folder" | undefined;
  readonly handlers: object;
} {
  const [dropRow, setDropRow] = useState<number | "folder" | undefined>(undefined);
  const handlers = {
    onClick: (event: MouseEvent) => click(grid, event),
    onDoubleClick: (event: MouseEvent) => {
      const hit = hitOf(grid, event);
      if (hit !== undefined && hit.part !== "check" && hit.part !== "more" && hit.part !== "input") grid.onOpen(hit.id);
    },
    onContextMenu: (event: MouseEvent) => openMenuAt(grid, event),
    onDragStart: (event: DragEvent) => {
      const hit = hitOf(grid, event);
      if (hit === undefined) return event.preventDefault();
      const { selection } = useSelection.getState();
      if (!isSelected(selection, hit.id) || selection.mode === "all") changeSelection(() => selectOnly(hit.id));
      startDrag(event, [...useSelection.getState().selection.ids]);
    },
    onDragOver: (event: DragEvent) => setDropRow(hover(grid, event)),
    onDragLeave: (event: DragEvent) => {
      if (!(event.relatedTarget instanceof Node) || !event.currentTarget.contains(event.relatedTarget))
        setDropRow(undefined);
    },
    onDrop: (event: DragEvent) => {
      const target = hover(grid, event);
      setDropRow(undefined);
      if (target === undefined) return;
      dropOn(event, target === "folder" ? grid.folderId : (idAtRow(grid.folder, target) ?? grid.folderId));
    },
  };
  return { dropRow, handlers };
}

function hitOf(grid: GridPointer, event: MouseEvent): Hit | undefined {
  if (!(event.target instanceof Element)) return undefined;
  const element = event.target.closest<HTMLElement>("[data-row]");
  const row = Number(element?.dataset["row"] ?? "-1");
  const id = idAtRow(grid.folder, row);
  if (element === null || id === undefined) return undefined;
  const part =
    event.target instanceof HTMLInputElement
      ? "input"
      : (event.target.closest<HTMLElement>("[data-part]")?.dataset["part"] ?? "");
  return { row, id, element, part };
}

function click(grid: GridPointer, event: MouseEvent): void {
  const hit = hitOf(grid, event);
  if (hit === undefined) return changeSelection(clear);
  if (hit.part === "input") return;
  if (hit.part === "more") return openMenuAt(grid, event);
  const isTouch = "pointerType" in event.nativeEvent && event.nativeEvent.pointerType === "touch";
  const { selection } = useSelection.getState();
  if (isTouch && hit.part !== "check" && selectedCount(selection, grid.folder.totalCount ?? 0) === 0)
    return grid.onOpen(hit.id);
  if (event.shiftKey) void extendTo(grid.folderId, hit.row, hit.id);
  else if (event.ctrlKey || event.metaKey || hit.part === "check" || isTouch)
    changeSelection((known) => toggle(known, hit.id));
  else changeSelection(() => selectOnly(hit.id));
  hit.element.focus({ preventScroll: true });
}

function openMenuAt(grid: GridPointer, event: MouseEvent): void {
  const hit = hitOf(grid, event);
  if (hit === undefined || hit.part === "input") return;
  event.preventDefault();
  changeSelection((selection) => selectForMenu(selection, hit.id));
  const button = hit.part === "more" && event.target instanceof Element ? event.target.closest("button") : null;
  const anchor = button ?? { x: event.clientX, y: event.clientY };
  void selectedIds(grid.folderId, useSelection.getState().selection).then((ids) =>
    openMenu({
      label: "Actions",
      anchor,
      align: button === null ? "start" : "end",
      returnTo: hit.element,
      items: menuForSelection(ids, { folderId: grid.folderId, open: grid.onOpen }),
    }),
  );
}

/** What a drop here would go to; also tells the browser whether it may. */
function hover(grid: GridPointer, event: DragEvent): number | "folder" | undefined {
  const hit = hitOf(grid, event);
  const isFolder = hit !== undefined && useDrive.getState().entries.get(hit.id)?.kind === "folder";
  const row = hit !== undefined && isFolder && canDropOn(event, hit.id) ? hit.row : undefined;
  const target = row ?? (dragKind(event) === "files" ? "folder" : undefined);
  if (target !== undefined) event.preventDefault();
  return target;
}
