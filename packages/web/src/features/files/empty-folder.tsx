import { FolderUp } from "lucide-react";
import type { ReactNode } from "react";
import { chooseFiles } from "../../lib/upload-port.ts";
import { Button } from "../../ui/button.tsx";
import styles from "./state-note.module.css";

/** Nothing here yet, and what to do about it. */
export function EmptyFolder({
  folderId,
  folderName,
}: {
  readonly folderId: number;
  readonly folderName: string;
}): ReactNode {
  return (
    <div className={styles["note"]} role="row">
      <div role="gridcell" className={styles["cell"]}>
        <FolderUp size={40} strokeWidth={1.25} className={styles["icon"]} aria-hidden />
        <p className={styles["title"]}>Nothing here yet</p>
        <p className={styles["text"]}>Drop files or folders anywhere on this page, or choose them.</p>
        <Button onClick={() => chooseFiles({ parentId: folderId, folderName }, "files")}>Upload files</Button>
      </div>
    </div>
  );
}
