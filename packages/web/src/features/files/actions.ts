import { Download, FolderInput, Info, PencilLine, Trash2, FolderOpen } from "lucide-react";
import type { MenuItem } from "../../ui/overlay-store.ts";
import { openDialog } from "../../ui/overlay-store.ts";
import { useDrive } from "./drive-store.ts";
import { downloadEntries, trashEntries } from "./operations.ts";
import { startRename, toggleDetails, useSelection } from "./selection-store.ts";

/** The menu of a selection: the same words and keys as everywhere else. */
export function menuForSelection(
  ids: readonly number[],
  context: { readonly folderId: number; readonly open: (id: number) => void },
): MenuItem[] {
  const { entries } = useDrive.getState();
  const single = ids.length === 1 ? entries.get(ids[0] ?? 0) : undefined;
  const hasFile = ids.some((id) => entries.get(id)?.kind === "file");
  const items: MenuItem[] = [];
  if (single?.kind === "folder")
    items.push({ label: "Open", icon: FolderOpen, shortcut: "Enter", onSelect: () => context.open(single.id) });
  if (hasFile)
    items.push({
      label: "Download",
      icon: Download,
      ...(single === undefined ? {} : { shortcut: "Enter" }),
      onSelect: () => downloadEntries(ids),
    });
  if (single !== undefined)
    items.push({ label: "Rename", icon: PencilLine, shortcut: "F2", onSelect: () => startRename(single.id) });
  items.push({
    label: "Move to…",
    icon: FolderInput,
    onSelect: () => openDialog({ kind: "move", ids, fromId: context.folderId }),
  });
  items.push({
    label: useSelection.getState().isDetailsOpen ? "Hide details" : "Show details",
    icon: Info,
    shortcut: "Alt+Enter",
    startsGroup: true,
    onSelect: toggleDetails,
  });
  items.push({
    label: "Move to the trash",
    icon: Trash2,
    shortcut: "Del",
    startsGroup: true,
    isDangerous: true,
    onSelect: () => void trashEntries(ids),
  });
  return items;
}
