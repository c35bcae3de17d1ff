import { formatBytes } from "@holdfast/base";
import { Check, Ellipsis } from "lucide-react";
import { memo, useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { formatMoment, formatWhen, stemLength } from "../../lib/format.ts";
import { useNow } from "../../ui/use-now.ts";
import { useDrive } from "./drive-store.ts";
import { EntryIcon } from "./entry-icon.tsx";
import styles from "./file-grid.module.css";
import type { DriveEntry } from "./model/entry.ts";
import { renameEntry } from "./operations.ts";
import { startRename, useSelection } from "./selection-store.ts";

interface FileRowProps {
  readonly id: number | undefined;
  readonly row: number;
  readonly top: number;
  readonly isSelected: boolean;
  readonly isTabStop: boolean;
  readonly isDropTarget: boolean;
}

/** One row; it follows its one entry. The grid handles its events by `data-row` and `data-part`. */
export const FileRow = memo(function FileRow({
  id,
  row,
  top,
  isSelected,
  isTabStop,
  isDropTarget,
}: FileRowProps): ReactNode {
  const entry = useDrive((state) => (id === undefined ? undefined : state.entries.get(id)));
  const isFresh = useDrive((state) => id !== undefined && state.fresh.has(id));
  const isRenaming = useSelection((state) => id !== undefined && state.renamingId === id);
  const classes = [
    styles["row"],
    isSelected ? styles["selected"] : "",
    isFresh ? styles["fresh"] : "",
    isDropTarget ? styles["dropRow"] : "",
  ].join(" ");
  const style = { transform: `translateY(${top}px)` };
  if (entry === undefined) return <PlaceholderRow row={row} style={style} isTabStop={isTabStop} />;
  return (
    <div
      role="row"
      aria-rowindex={row + 2}
      aria-selected={isSelected}
      tabIndex={isTabStop ? 0 : -1}
      className={classes}
      style={style}
      data-row={row}
      data-name={entry.name}
      draggable={!isRenaming}
    >
      <div role="rowheader" className={styles["name"]}>
        <span className={styles["check"]} data-part="check" aria-hidden>
          {isSelected && <Check size={14} strokeWidth={3} />}
        </span>
        <EntryIcon entry={entry} />
        {isRenaming ? (
          <RenameField entry={entry} />
        ) : (
          <span className={styles["label"]} data-part="name" title={entry.name}>
            {entry.name}
          </span>
        )}
      </div>
      <WhenCell atMs={entry.modifiedAtMs} />
      <div role="gridcell" className={styles["size"]}>
        <span>{entry.kind === "folder" ? "–" : formatBytes(entry.sizeBytes)}</span>
        <button
          type="button"
          tabIndex={-1}
          className={styles["more"]}
          data-part="more"
          aria-label={`Actions for ${entry.name}`}
          aria-haspopup="menu"
        >
          <Ellipsis size={18} />
        </button>
      </div>
    </div>
  );
});

function PlaceholderRow({
  row,
  style,
  isTabStop,
}: {
  readonly row: number;
  readonly style: { readonly transform: string };
  readonly isTabStop: boolean;
}): ReactNode {
  return (
    <div
      role="row"
      aria-rowindex={row + 2}
      aria-busy
      className={styles["row"]}
      style={style}
      data-row={row}
      tabIndex={isTabStop ? 0 : -1}
    >
      <div role="rowheader" className={styles["name"]}>
        <span className={styles["check"]} aria-hidden />
        <span className={styles["bone"]} style={{ width: `${28 + ((row * 37) % 30)}%` }} />
      </div>
      <div role="gridcell" className={styles["when"]} />
      <div role="gridcell" className={styles["size"]} />
    </div>
  );
}

function WhenCell({ atMs }: { readonly atMs: number }): ReactNode {
  const nowMs = useNow();
  return (
    <div role="gridcell" className={styles["when"]} title={formatMoment(atMs)}>
      {formatWhen(atMs, nowMs)}
    </div>
  );
}

/** Edits a name in place, with the part before the extension selected. Enter and leaving keep it, Esc does not. */
function RenameField({ entry }: { readonly entry: DriveEntry }): ReactNode {
  const [problem, setProblem] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const isClosed = useRef(false);
  useEffect(() => {
    input.current?.focus();
    input.current?.setSelectionRange(0, entry.kind === "folder" ? entry.name.length : stemLength(entry.name));
  }, [entry.id, entry.kind, entry.name]);

  const close = (isKept: boolean) => {
    if (isClosed.current) return;
    const name = (input.current?.value ?? "").trim().normalize("NFC");
    const found = isKept ? nameProblem(name) : "";
    setProblem(found);
    if (found !== "") return;
    isClosed.current = true;
    const row = input.current?.closest<HTMLElement>("[data-row]");
    if (isKept) void renameEntry(entry, name);
    startRename(undefined);
    row?.focus({ preventScroll: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === "Enter") close(true);
    if (event.key === "Escape") close(false);
  };
  return (
    <span className={styles["rename"]}>
      <input
        ref={input}
        defaultValue={entry.name}
        aria-label={`New name for ${entry.name}`}
        aria-invalid={problem !== ""}
        spellCheck={false}
        onKeyDown={onKeyDown}
        onBlur={() => close(nameProblem(input.current?.value ?? "") === "")}
      />
      {problem !== "" && (
        <span role="alert" className={styles["renameProblem"]}>
          {problem}
        </span>
      )}
    </span>
  );
}

/** Why a name cannot be, or "". */
function nameProblem(name: string): string {
  if (name.trim() === "") return "A name is needed.";
  if (name.includes("/")) return "A name cannot contain “/”.";
  return new TextEncoder().encode(name).length > 255 ? "The name is too long." : "";
}
