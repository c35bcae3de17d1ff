/**
 * Which rows are selected, as one value. Keyed by id, so it survives re-sorting and live changes; `all` mode makes "select all" of
 * 100,000 rows as cheap as of one.
 */
export interface Selection {
  readonly mode: "some" | "all";
  /** In mode `some` the selected ids, in mode `all` the exceptions. */
  readonly ids: ReadonlySet<number>;
  /** Where a Shift range starts. */
  readonly anchorId: number | undefined;
  /** The row that has the keyboard. */
  readonly focusId: number | undefined;
  /** The ids of the last Shift range, which the next one replaces. */
  readonly rangeIds: readonly number[];
}

/** Nothing selected, nothing focused. */
export const emptySelection: Selection = {
  mode: "some",
  ids: new Set(),
  anchorId: undefined,
  focusId: undefined,
  rangeIds: [],
};

/** Whether a row is selected. */
export function isSelected(selection: Selection, id: number): boolean {
  return selection.mode === "all" ? !selection.ids.has(id) : selection.ids.has(id);
}

/** How many rows are selected of `totalCount`. */
export function selectedCount(selection: Selection, totalCount: number): number {
  return selection.mode === "all" ? Math.max(0, totalCount - selection.ids.size) : selection.ids.size;
}

/** A plain click: this one only. */
export function selectOnly(id: number): Selection {
  return { mode: "some", ids: new Set([id]), anchorId: id, focusId: id, rangeIds: [] };
}

/** Ctrl+click, the checkbox or Space: this one changes, the others stay, and the anchor moves here. */
export function toggle(selection: Selection, id: number): Selection {
  const ids = new Set(selection.ids);
  if (!ids.delete(id)) ids.add(id);
  return { ...selection, ids, anchorId: id, focusId: id, rangeIds: [] };
}

/**
 * Shift+click or Shift+arrow: `rangeIds` is everything from the anchor to the target in row order. It replaces the last range only;
 * what was picked one by one stays. In mode `all` a range selects again what was excepted.
 */
export function selectRange(selection: Selection, rangeIds: readonly number[], targetId: number): Selection {
  const ids = new Set(selection.ids);
  if (selection.mode === "all") {
    for (const id of rangeIds) ids.delete(id);
  } else {
    for (const id of selection.rangeIds) ids.delete(id);
    for (const id of rangeIds) ids.add(id);
  }
  return { ...selection, ids, anchorId: selection.anchorId ?? rangeIds[0], focusId: targetId, rangeIds };
}

/** Ctrl+A. */
export function selectAll(selection: Selection): Selection {
  return { ...selection, mode: "all", ids: new Set(), rangeIds: [] };
}

/** Esc, or a click on empty space. The focus stays. */
export function clear(selection: Selection): Selection {
  if (selection.mode === "some" && selection.ids.size === 0) return selection;
  return { ...selection, mode: "some", ids: new Set(), rangeIds: [] };
}

/** Moves the keyboard without selecting. */
export function focusOn(selection: Selection, id: number): Selection {
  return selection.focusId === id ? selection : { ...selection, focusId: id };
}

/** A right click: an unselected row becomes the selection first, a selected one keeps it. */
export function selectForMenu(selection: Selection, id: number): Selection {
  return isSelected(selection, id) ? focusOn(selection, id) : selectOnly(id);
}

/** A row that vanished leaves silently; `nextFocusId` takes over the keyboard when it had it. */
export function withoutVanished(selection: Selection, id: number, nextFocusId: number | undefined): Selection {
  const isTouched = selection.ids.has(id) || selection.focusId === id || selection.anchorId === id;
  if (!isTouched) return selection;
  const ids = new Set(selection.ids);
  ids.delete(id);
  return {
    ...selection,
    ids,
    anchorId: selection.anchorId === id ? nextFocusId : selection.anchorId,
    focusId: selection.focusId === id ? nextFocusId : selection.focusId,
    rangeIds: selection.rangeIds.filter((known) => known !== id),
  };
}
