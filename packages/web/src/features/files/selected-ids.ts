import { folderPages } from "./drive-store.ts";
import { loadIds } from "./load-folder.ts";
import type { Selection } from "./model/selection.ts";

/** The ids that are selected. In mode `all` every row of the folder is read first. */
export async function selectedIds(folderId: number, selection: Selection): Promise<readonly number[]> {
  if (selection.mode === "some") {
    const { focusId } = selection;
    return selection.ids.size === 0 && focusId !== undefined ? [focusId] : [...selection.ids];
  }
  const total = folderPages(folderId).totalCount ?? 0;
  const ids = await loadIds(folderId, 0, total - 1);
  return ids.filter((id) => !selection.ids.has(id));
}
