import { Download, FolderInput, Info, PencilLine, Trash2, X } from "lucide-react";
import type { ReactNode } from "react";
import { formatCount, formatItems } from "../../lib/format.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { openDialog } from "../../ui/overlay-store.ts";
import styles from "./action-row.module.css";
import { useDrive } from "./drive-store.ts";
import { clear, selectedCount } from "./model/selection.ts";
import { downloadEntries, trashEntries } from "./operations.ts";
import { selectedIds } from "./selected-ids.ts";
import { changeSelection, startRename, toggleDetails, useSelection } from "./selection-store.ts";

/** The row under the crumbs: how many items, or, in the same place, what can be done with the selected ones. */
export function ActionRow({ folderId }: { readonly folderId: number }): ReactNode {
  const total = useDrive((state) => state.folders.get(folderId)?.totalCount);
  const count = useSelection((state) => selectedCount(state.selection, total ?? 0));
  const isDetailsOpen = useSelection((state) => state.isDetailsOpen);
  return (
    <div className={styles["row"]}>
      <p className="visually-hidden" role="status">
        {count > 0 ? `${formatCount(count)} selected` : ""}
      </p>
      {count > 0 ? (
        <SelectionBar folderId={folderId} count={count} />
      ) : (
        <p className={styles["count"]}>{total === undefined ? "" : formatItems(total, "item")}</p>
      )}
      <IconButton
        label={isDetailsOpen ? "Hide details" : "Show details"}
        shortcut="Alt+Enter"
        aria-pressed={isDetailsOpen}
        onClick={toggleDetails}
      >
        <Info size={18} />
      </IconButton>
    </div>
  );
}

function SelectionBar({ folderId, count }: { readonly folderId: number; readonly count: number }): ReactNode {
  const selection = useSelection((state) => state.selection);
  const { entries } = useDrive.getState();
  const hasFile = selection.mode === "some" && [...selection.ids].some((id) => entries.get(id)?.kind === "file");
  const withIds = (action: (ids: readonly number[]) => void) => () =>
    void selectedIds(folderId, selection).then(action);
  return (
    <div className={styles["bar"]} role="toolbar" aria-label="Selected items">
      <IconButton label="Clear the selection" shortcut="Esc" onClick={() => changeSelection(clear)}>
        <X size={18} />
      </IconButton>
      <span className={styles["selected"]}>{formatCount(count)} selected</span>
      {hasFile && (
        <Button look="quiet" onClick={withIds(downloadEntries)} aria-label="Download">
          <Download size={16} />
          <span className={styles["word"]}>Download</span>
        </Button>
      )}
      {count === 1 && selection.mode === "some" && (
        <Button look="quiet" onClick={withIds(([id]) => startRename(id))} aria-label="Rename">
          <PencilLine size={16} />
          <span className={styles["word"]}>Rename</span>
        </Button>
      )}
      <Button
        look="quiet"
        onClick={withIds((ids) => openDialog({ kind: "move", ids, fromId: folderId }))}
        aria-label="Move to…"
      >
        <FolderInput size={16} />
        <span className={styles["word"]}>Move to…</span>
      </Button>
      <Button look="quiet" onClick={withIds((ids) => void trashEntries(ids))} aria-label="Move to the trash">
        <Trash2 size={16} />
        <span className={styles["word"]}>Trash</span>
      </Button>
    </div>
  );
}
