import { create } from "zustand";
import { emptySelection, type Selection } from "./model/selection.ts";

interface SelectionState {
  readonly folderId: number;
  readonly selection: Selection;
  /** The row whose name is being edited. */
  readonly renamingId: number | undefined;
  /** Whether the details panel is open; remembered on this device. */
  readonly isDetailsOpen: boolean;
}

const key = "holdfast.details";

/** Selection and row state of the folder on screen. */
export const useSelection = create<SelectionState>(() => ({
  folderId: 0,
  selection: emptySelection,
  renamingId: undefined,
  isDetailsOpen: readDetails(),
}));

/** Replaces the selection by a function of it. */
export function changeSelection(change: (selection: Selection) => Selection): void {
  useSelection.setState((state) => ({ selection: change(state.selection) }));
}

/** Begins anew in another folder. */
export function enterFolder(folderId: number): void {
  if (useSelection.getState().folderId !== folderId)
    useSelection.setState({ folderId, selection: emptySelection, renamingId: undefined });
}

/** Edits the name of a row. */
export function startRename(id: number | undefined): void {
  useSelection.setState({ renamingId: id });
}

/** Opens or closes the details panel. */
export function toggleDetails(): void {
  useSelection.setState((state) => ({ isDetailsOpen: !state.isDetailsOpen }));
  try {
    localStorage.setItem(key, String(useSelection.getState().isDetailsOpen));
  } catch {
    // Storage may be forbidden: the panel is closed again next time.
  }
}

function readDetails(): boolean {
  try {
    return localStorage.getItem(key) === "true";
  } catch {
    return false;
  }
}
