import type { ReactNode } from "react";
import { ConfirmDialog, MoveDialog, NewFolderDialog, ShortcutsDialog } from "../features/files/drive-overlays.tsx";
import { MenuHost } from "../ui/menu-host.tsx";
import { useOverlays } from "../ui/overlay-store.ts";
import { Toasts } from "../ui/toasts.tsx";
import { TooltipHost } from "../ui/tooltip-host.tsx";

/** Menus, dialogs and tooltips; its own chunk, so the list is on screen before it. */
export function Overlays({ rootId }: { readonly rootId: number }): ReactNode {
  const dialog = useOverlays((state) => state.dialog);
  return (
    <>
      <MenuHost />
      <TooltipHost />
      <Toasts />
      {dialog?.kind === "newFolder" && <NewFolderDialog parentId={dialog.parentId} />}
      {dialog?.kind === "move" && <MoveDialog ids={dialog.ids} fromId={dialog.fromId} rootId={rootId} />}
      {dialog?.kind === "confirm" && <ConfirmDialog dialog={dialog} />}
      {dialog?.kind === "shortcuts" && <ShortcutsDialog />}
    </>
  );
}
