import { formatBytes } from "@holdfast/base";
import { CloudAlert, RotateCcw, Trash2 } from "lucide-react";
import { useCallback, useEffect, useState, type ReactNode } from "react";
import { explainFailure, type Failure } from "../../lib/failure.ts";
import { formatItems, formatMoment, formatWhen } from "../../lib/format.ts";
import { drive } from "../../lib/rpc.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { openDialog } from "../../ui/overlay-store.ts";
import { PageHeader } from "../../ui/page-header.tsx";
import { useNow } from "../../ui/use-now.ts";
import crumbStyles from "./breadcrumbs.module.css";
import pageStyles from "./drive-page.module.css";
import { folderName } from "./drag.ts";
import { useDrive } from "./drive-store.ts";
import { EntryIcon } from "./entry-icon.tsx";
import { entryFromWire, type DriveEntry } from "./model/entry.ts";
import { purgeEntries, restoreEntries } from "./operations.ts";
import styles from "./trash-page.module.css";
import noteStyles from "./state-note.module.css";

const pageRows = 200;

/** `/trash`: what was deleted, newest first; restore, or delete for ever. */
export function TrashPage(): ReactNode {
  const trash = useTrash();
  const count = trash.entries?.length ?? 0;
  const emptyTrash = () =>
    openDialog({
      kind: "confirm",
      title: `Delete ${formatItems(count, "item")} for ever?`,
      text: "This cannot be undone. Everything in the trash that is listed here is deleted.",
      verb: "Delete for ever",
      onConfirm: () => void purgeEntries((trash.entries ?? []).map((entry) => entry.id)),
    });
  return (
    <main className={pageStyles["page"]}>
      <title>Trash · Drive</title>
      <PageHeader>
        <h1 className={crumbStyles["current"]} style={{ marginLeft: -6 }}>
          Trash
        </h1>
      </PageHeader>
      <div className={styles["bar"]}>
        <p>
          {trash.entries === undefined
            ? ""
            : count === 0
              ? ""
              : `${formatItems(count, "item")}${trash.hasMore ? " shown" : ""} · kept until deleted for ever`}
        </p>
        {count > 0 && <Button onClick={emptyTrash}>Empty the trash</Button>}
      </div>
      <div className={pageStyles["content"]}>
        <div className={styles["list"]}>
          {trash.failure !== undefined && <TrashFailure failure={trash.failure} onRetry={trash.reload} />}
          {trash.entries !== undefined && count === 0 && <EmptyTrash />}
          {count > 0 && (
            <ul aria-label="Deleted items">
              {trash.entries?.map((entry) => (
                <TrashRow key={entry.id} entry={entry} />
              ))}
            </ul>
          )}
          {trash.hasMore && (
            <Button className={styles["moreButton"] ?? ""} onClick={trash.loadMore}>
              Show more
            </Button>
          )}
        </div>
      </div>
    </main>
  );
}

function TrashRow({ entry }: { readonly entry: DriveEntry }): ReactNode {
  const nowMs = useNow();
  const origin = useDrive((state) => state.entries.has(entry.originParentId));
  const remove = () =>
    openDialog({
      kind: "confirm",
      title: `Delete “${entry.name}” for ever?`,
      text: "This cannot be undone.",
      verb: "Delete for ever",
      onConfirm: () => void purgeEntries([entry.id]),
    });
  return (
    <li className={styles["row"]}>
      <EntryIcon entry={entry} />
      <span className={styles["name"]} title={entry.name}>
        {entry.name}
      </span>
      <span className={styles["fact"]}>{origin ? `from ${folderName(entry.originParentId)}` : ""}</span>
      <span className={styles["fact"]} title={formatMoment(entry.trashedAtMs)}>
        deleted {formatWhen(entry.trashedAtMs, nowMs)}
      </span>
      <span className={`${styles["fact"]} ${styles["size"]}`}>
        {entry.kind === "folder" ? "–" : formatBytes(entry.sizeBytes)}
      </span>
      <Button look="quiet" aria-label={`Restore ${entry.name}`} onClick={() => void restoreEntries([entry.id])}>
        <RotateCcw size={16} />
        <span className={styles["word"]}>Restore</span>
      </Button>
      <IconButton label={`Delete ${entry.name} for ever`} onClick={remove}>
        <Trash2 size={16} />
      </IconButton>
    </li>
  );
}

function EmptyTrash(): ReactNode {
  return (
    <div className={noteStyles["note"]}>
      <div className={noteStyles["cell"]}>
        <Trash2 size={40} strokeWidth={1.25} className={noteStyles["icon"]} aria-hidden />
        <p className={noteStyles["title"]}>The trash is empty</p>
        <p className={noteStyles["text"]}>What you delete waits here until you delete it for ever.</p>
      </div>
    </div>
  );
}

function TrashFailure({ failure, onRetry }: { readonly failure: Failure; readonly onRetry: () => void }): ReactNode {
  return (
    <div className={noteStyles["note"]} role="alert">
      <div className={noteStyles["cell"]}>
        <CloudAlert size={40} strokeWidth={1.25} className={noteStyles["icon"]} aria-hidden />
        <p className={noteStyles["title"]}>{failure.title}</p>
        <p className={noteStyles["text"]}>{failure.advice}</p>
        <Button onClick={onRetry}>Try again</Button>
      </div>
    </div>
  );
}

interface Trash {
  readonly entries: readonly DriveEntry[] | undefined;
  readonly failure: Failure | undefined;
  readonly hasMore: boolean;
  readonly loadMore: () => void;
  readonly reload: () => void;
}

/** The first pages of the trash, read again whenever something in it may have changed. */
function useTrash(): Trash {
  const tick = useDrive((state) => state.trashTick);
  const [pages, setPages] = useState(1);
  const [attempt, setAttempt] = useState(0);
  const [known, setKnown] = useState<{
    readonly entries?: readonly DriveEntry[];
    readonly hasMore: boolean;
    readonly failure?: Failure;
  }>({ hasMore: false });
  useEffect(() => {
    const stopped = new AbortController();
    drive.listTrash({ limit: pages * pageRows }, { signal: stopped.signal }).then(
      (answer) => setKnown({ entries: answer.entries.map(entryFromWire), hasMore: answer.cursor.length > 0 }),
      (thrown: unknown) => {
        if (!stopped.signal.aborted) setKnown((before) => ({ ...before, failure: explainFailure(thrown) }));
      },
    );
    return () => stopped.abort();
  }, [tick, pages, attempt]);
  return {
    entries: known.entries,
    failure: known.entries === undefined ? known.failure : undefined,
    hasMore: known.hasMore,
    loadMore: useCallback(() => setPages((count) => count + 1), []),
    reload: useCallback(() => setAttempt((count) => count + 1), []),
  };
}
