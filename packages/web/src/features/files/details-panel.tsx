import { formatBytes } from "@holdfast/base";
import { Check, Copy, Download, X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { formatCount, formatMoment } from "../../lib/format.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import styles from "./details-panel.module.css";
import { folderName } from "./drag.ts";
import { useDrive } from "./drive-store.ts";
import { EntryIcon, kindName } from "./entry-icon.tsx";
import type { DriveEntry } from "./model/entry.ts";
import { selectedCount } from "./model/selection.ts";
import { downloadEntries } from "./operations.ts";
import { toggleDetails, useSelection } from "./selection-store.ts";

/** What is known of the selected item, or of the folder when nothing is selected. */
export function DetailsPanel({ folderId }: { readonly folderId: number }): ReactNode {
  const selection = useSelection((state) => state.selection);
  const total = useDrive((state) => state.folders.get(folderId)?.totalCount ?? 0);
  const count = selectedCount(selection, total);
  const shownId = count === 0 ? folderId : count === 1 && selection.mode === "some" ? [...selection.ids][0] : undefined;
  const entry = useDrive((state) => (shownId === undefined ? undefined : state.entries.get(shownId)));
  return (
    <aside className={styles["panel"]} aria-label="Details">
      <div className={styles["head"]}>
        <h2 className={styles["heading"]}>Details</h2>
        <IconButton label="Hide details" shortcut="Alt+Enter" onClick={toggleDetails}>
          <X size={18} />
        </IconButton>
      </div>
      {entry === undefined ? (
        <ManySelected count={count} />
      ) : (
        <EntryDetails entry={entry} total={entry.id === folderId ? total : undefined} />
      )}
    </aside>
  );
}

function ManySelected({ count }: { readonly count: number }): ReactNode {
  const selection = useSelection((state) => state.selection);
  const { entries } = useDrive.getState();
  const sizeBytes =
    selection.mode === "all"
      ? undefined
      : [...selection.ids].reduce((sum, id) => sum + (entries.get(id)?.sizeBytes ?? 0), 0);
  return (
    <div className={styles["body"]}>
      <p className={styles["name"]}>{formatCount(count)} items</p>
      {sizeBytes !== undefined && <p className={styles["muted"]}>{formatBytes(sizeBytes)} in files</p>}
    </div>
  );
}

function EntryDetails({ entry, total }: { readonly entry: DriveEntry; readonly total: number | undefined }): ReactNode {
  const facts: [string, ReactNode][] = [["Kind", kindName(entry)]];
  if (entry.kind === "file")
    facts.push(["Size", `${formatBytes(entry.sizeBytes)} (${formatCount(entry.sizeBytes)} bytes)`]);
  else facts.push(["Contains", `${formatCount(total ?? entry.childCount)} items`]);
  if (entry.parentId !== 0) facts.push(["In", folderName(entry.parentId)]);
  facts.push(["Modified", formatMoment(entry.modifiedAtMs)], ["Created", formatMoment(entry.createdAtMs)]);
  if (entry.sha256 !== "") facts.push(["SHA-256", <Hash key="hash" text={entry.sha256} />]);
  return (
    <div className={styles["body"]}>
      <div className={styles["preview"]}>
        <EntryIcon entry={entry} size={48} />
      </div>
      <p className={styles["name"]}>{entry.name === "" ? "My files" : entry.name}</p>
      <dl className={styles["facts"]}>
        {facts.map(([term, fact]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{fact}</dd>
          </div>
        ))}
      </dl>
      {entry.kind === "file" && (
        <Button onClick={() => downloadEntries([entry.id])}>
          <Download size={16} />
          Download
        </Button>
      )}
    </div>
  );
}

function Hash({ text }: { readonly text: string }): ReactNode {
  const [isCopied, setCopied] = useState(false);
  const copy = () =>
    void navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  return (
    <span className={styles["hash"]}>
      <code>{text}</code>
      <IconButton label={isCopied ? "Copied" : "Copy the checksum"} onClick={copy}>
        {isCopied ? <Check size={16} /> : <Copy size={16} />}
      </IconButton>
    </span>
  );
}
