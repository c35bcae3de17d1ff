import { CloudAlert } from "lucide-react";
import { useState, type ReactNode } from "react";
import type { Failure } from "../../lib/failure.ts";
import { Button } from "../../ui/button.tsx";
import gridStyles from "./file-grid.module.css";
import { loadPage } from "./load-folder.ts";
import styles from "./state-note.module.css";

/** Why the folder is not shown, what is safe, and one thing to do. */
export function FolderFailure({
  folderId,
  failure,
}: {
  readonly folderId: number;
  readonly failure: Failure;
}): ReactNode {
  const [isBusy, setBusy] = useState(false);
  const retry = () => {
    setBusy(true);
    void loadPage(folderId, 0).finally(() => setBusy(false));
  };
  const isMissing = failure.kind === "notFound";
  return (
    <div className={styles["note"]} role="alert">
      <div className={styles["cell"]}>
        <CloudAlert size={40} strokeWidth={1.25} className={styles["icon"]} aria-hidden />
        <p className={styles["title"]}>{isMissing ? "This folder is not there any more" : failure.title}</p>
        <p className={styles["text"]}>{failure.advice}</p>
        {!isMissing && (
          <Button onClick={retry} disabled={isBusy}>
            {isBusy ? "Trying…" : "Try again"}
          </Button>
        )}
        {failure.requestId !== "" && <p className={styles["request"]}>Request {failure.requestId}</p>}
      </div>
    </div>
  );
}

/** Rows at their real height before the first answer. */
export function FolderSkeleton(): ReactNode {
  return (
    <div className={gridStyles["skeleton"]} role="status" aria-label="Loading the folder">
      {Array.from({ length: 12 }, (_, row) => (
        <div key={row} className={gridStyles["skeletonRow"]}>
          <span className={gridStyles["bone"]} style={{ width: `${24 + ((row * 37) % 34)}%` }} />
        </div>
      ))}
    </div>
  );
}
