import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState, type ReactNode } from "react";
import { after } from "../../lib/time.ts";
import { PageHeader } from "../../ui/page-header.tsx";
import { ActionRow } from "./action-row.tsx";
import { Breadcrumbs } from "./breadcrumbs.tsx";
import { downloadEntries } from "./operations.ts";
import styles from "./drive-page.module.css";
import { folderName } from "./drag.ts";
import { useDrive } from "./drive-store.ts";
import { FileGrid } from "./file-grid.tsx";
import { FolderFailure, FolderSkeleton } from "./folder-states.tsx";
import { ensureRows } from "./load-folder.ts";
import { enterFolder, useSelection } from "./selection-store.ts";

const DetailsPanel = lazy(() => import("./details-panel.tsx").then((module) => ({ default: module.DetailsPanel })));
const patienceMs = 150;

/** `/` and `/f/:folderId`. */
export function DrivePage({
  folderId: wantedId,
  rootId,
}: {
  readonly folderId: number;
  readonly rootId: number;
}): ReactNode {
  const folderId = useShownFolder(wantedId);
  const navigate = useNavigate();
  const isKnown = useDrive((state) => state.folders.get(folderId)?.totalCount !== undefined);
  const failure = useDrive((state) => state.failures.get(folderId));
  const name = useDrive(
    (state) => (state.entries.get(folderId)?.name ?? "") || (folderId === rootId ? "My files" : "Folder"),
  );
  const isDetailsOpen = useSelection((state) => state.isDetailsOpen);

  const openFolder = (id: number) =>
    void (id === rootId ? navigate({ to: "/" }) : navigate({ to: "/f/$folderId", params: { folderId: String(id) } }));
  const open = (id: number) => {
    if (useDrive.getState().entries.get(id)?.kind === "folder") openFolder(id);
    else downloadEntries([id]);
  };
  const goUp = () => {
    const parentId = useDrive.getState().ancestors.get(folderId)?.at(-1);
    if (parentId !== undefined) openFolder(parentId);
  };

  return (
    <main className={styles["page"]}>
      <title>{`${name} · Drive`}</title>
      <PageHeader>
        <Breadcrumbs folderId={folderId} rootId={rootId} />
      </PageHeader>
      <ActionRow folderId={folderId} />
      <div className={styles["content"]}>
        <div className={styles["list"]}>
          {isKnown ? (
            <FileGrid key={folderId} folderId={folderId} folderName={folderName(folderId)} onOpen={open} onUp={goUp} />
          ) : failure !== undefined ? (
            <FolderFailure folderId={folderId} failure={failure} />
          ) : (
            <PatientSkeleton />
          )}
        </div>
        <Suspense fallback={null}>{isDetailsOpen && <DetailsPanel folderId={folderId} />}</Suspense>
      </div>
    </main>
  );
}

/** The folder on screen: the old one stays for a moment while the new one is read, instead of a blank page. */
function useShownFolder(wantedId: number): number {
  const [shownId, setShownId] = useState(wantedId);
  const isReady = useDrive(
    (state) => state.folders.get(wantedId)?.totalCount !== undefined || state.failures.has(wantedId),
  );
  useEffect(() => ensureRows(wantedId, 0, 60), [wantedId]);
  useEffect(() => {
    if (shownId === wantedId) return undefined;
    if (isReady) return setShownId(wantedId);
    return after(patienceMs, () => setShownId(wantedId));
  }, [isReady, shownId, wantedId]);
  useEffect(() => enterFolder(shownId), [shownId]);
  return isReady ? wantedId : shownId;
}

function PatientSkeleton(): ReactNode {
  const [isShown, setShown] = useState(false);
  useEffect(() => after(patienceMs, () => setShown(true)), []);
  return isShown ? <FolderSkeleton /> : null;
}
