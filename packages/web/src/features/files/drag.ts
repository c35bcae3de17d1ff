import { useState, type DragEvent } from "react";
import { contentsOfDrop, offerUpload } from "../../lib/upload-port.ts";
import { formatItems } from "../../lib/format.ts";
import { moveEntries } from "./operations.ts";
import { useDrive } from "./drive-store.ts";

const entriesType = "application/x-holdfast-entries";
let draggedIds: readonly number[] = [];

/** Begins dragging rows. */
export function startDrag(event: DragEvent, ids: readonly number[]): void {
  draggedIds = ids;
  event.dataTransfer.setData(entriesType, ids.join(","));
  event.dataTransfer.effectAllowed = "move";
  const first = useDrive.getState().entries.get(ids[0] ?? 0)?.name ?? "";
  const pill = document.createElement("div");
  pill.textContent = ids.length === 1 ? first : formatItems(ids.length, "item");
  pill.style.cssText =
    "position:fixed;top:-100px;max-width:280px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;padding:6px 12px;border-radius:6px;font:500 13px/18px var(--sans);background:var(--accent);color:var(--on-accent)";
  document.body.append(pill);
  event.dataTransfer.setDragImage(pill, -8, 16);
  requestAnimationFrame(() => pill.remove());
}

/** What hangs on the pointer: rows of this page, files from outside, or nothing of interest. */
export function dragKind(event: DragEvent): "entries" | "files" | undefined {
  if (event.dataTransfer.types.includes(entriesType)) return "entries";
  return event.dataTransfer.types.includes("Files") ? "files" : undefined;
}

/** Whether what is dragged may be dropped on a folder. */
export function canDropOn(event: DragEvent, folderId: number): boolean {
  const kind = dragKind(event);
  return kind === "files" || (kind === "entries" && !draggedIds.includes(folderId));
}

/** Carries out a drop on a folder. */
export function dropOn(event: DragEvent, folderId: number): void {
  event.preventDefault();
  event.stopPropagation();
  const kind = dragKind(event);
  if (kind === "entries") void moveEntries(draggedIds, folderId);
  if (kind === "files")
    offerUpload({ parentId: folderId, folderName: folderName(folderId), ...contentsOfDrop(event.dataTransfer) });
  draggedIds = [];
}

/** A folder's name as people call it. */
export function folderName(folderId: number): string {
  const name = useDrive.getState().entries.get(folderId)?.name ?? "";
  return name === "" ? "My files" : name;
}

interface DropTarget {
  readonly isOver: boolean;
  readonly handlers: {
    readonly onDragOver: (event: DragEvent) => void;
    readonly onDragLeave: () => void;
    readonly onDrop: (event: DragEvent) => void;
  };
}

/** Makes an element take rows and files for a folder. */
export function useDropTarget(folderId: number): DropTarget {
  const [isOver, setOver] = useState(false);
  return {
    isOver,
    handlers: {
      onDragOver: (event) => {
        if (!canDropOn(event, folderId)) return;
        event.preventDefault();
        event.stopPropagation();
        setOver(true);
      },
      onDragLeave: () => setOver(false),
      onDrop: (event) => {
        setOver(false);
        dropOn(event, folderId);
      },
    },
  };
}
