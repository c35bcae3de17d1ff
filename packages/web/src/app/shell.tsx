import { Link, Outlet, useNavigate, useParams, useRouterState } from "@tanstack/react-router";
import { Activity, FilePlus2, FolderPlus, FolderUp, Plus, Trash2 } from "lucide-react";
import { lazy, Suspense, useEffect, useState, type MouseEvent, type ReactNode } from "react";
import { signOut, useSession } from "../features/auth/session.ts";
import { folderName } from "../features/files/drag.ts";
import { resetDrive, useDrive } from "../features/files/drive-store.ts";
import { explainFailure } from "../lib/failure.ts";
import { whenIdle } from "../lib/time.ts";
import { chooseFiles, onUploadOffered, type UploadOffer } from "../lib/upload-port.ts";
import { setDrawerOpen, useChrome } from "../ui/chrome-store.ts";
import { Logo } from "../ui/logo.tsx";
import { openDialog, openMenu, useOverlays } from "../ui/overlay-store.ts";
import { showToast, useToasts } from "../ui/toast-store.ts";
import styles from "./shell.module.css";

const FolderTree = lazy(() =>
  import("../features/files/folder-tree.tsx").then((module) => ({ default: module.FolderTree })),
);
const Overlays = lazy(() => import("./overlays.tsx").then((module) => ({ default: module.Overlays })));
const Uploads = lazy(() =>
  import("../features/upload/upload-panel.tsx").then((module) => ({ default: module.UploadPanel })),
);

/** The frame of everything behind sign-in: sidebar, the view, and what lies over it. */
export function Shell(): ReactNode {
  const isDrawerOpen = useChrome((chrome) => chrome.isDrawerOpen);
  const hasFolder = useCurrentFolder() !== undefined;
  useChromeState();
  const account = useSession((state) => state.signedIn?.email ?? "");
  useEffect(() => followLater(account), [account]);
  return (
    <div className={styles["frame"]}>
      <a className={styles["skip"]} href="#view">
        Skip to the files
      </a>
      <div className={`${styles["sidebar"]} ${isDrawerOpen ? styles["drawerOpen"] : ""}`}>
        <Sidebar />
      </div>
      {isDrawerOpen && (
        <button
          type="button"
          className={styles["scrim"]}
          aria-label="Close the menu"
          onClick={() => setDrawerOpen(false)}
        />
      )}
      <div className={styles["view"]} id="view" tabIndex={-1}>
        <Outlet />
      </div>
      {hasFolder && (
        <div className={styles["fab"]}>
          <NewButton isRound />
        </div>
      )}
      <Late />
    </div>
  );
}

/** The change feed is not needed to show the first rows: its code comes right behind them. */
function followLater(account: string): () => void {
  let isStopped = false;
  let stop = () => undefined as void;
  void import("../features/files/live-share.ts").then(({ followChanges }) => {
    if (!isStopped) stop = followChanges(account);
  });
  return () => {
    isStopped = true;
    stop();
  };
}

function Sidebar(): ReactNode {
  const signedIn = useSession((state) => state.signedIn);
  const rootId = signedIn?.rootId ?? 0;
  const path = useRouterState({ select: (state) => state.location.pathname });
  const currentId = useCurrentFolder();
  return (
    <nav className={styles["nav"]} aria-label="Places">
      <Link to="/" className={styles["brand"]}>
        <Logo />
        Holdfast
      </Link>
      <NewButton />
      <div className={styles["tree"]}>
        <Suspense fallback={null}>
          <FolderTree rootId={rootId} currentId={currentId} />
        </Suspense>
      </div>
      <div className={styles["places"]}>
        <Link to="/trash" className={`${styles["place"]} ${path === "/trash" ? styles["here"] : ""}`}>
          <Trash2 size={16} aria-hidden />
          Trash
        </Link>
        {signedIn?.isAdmin === true && (
          <Link to="/admin" className={`${styles["place"]} ${path.startsWith("/admin") ? styles["here"] : ""}`}>
            <Activity size={16} aria-hidden />
            Admin
          </Link>
        )}
      </div>
      <p className={styles["foot"]}>Holdfast {(signedIn?.version ?? "").replace(/^holdfast\s+/i, "")}</p>
    </nav>
  );
}

/** "+ New": everything that adds something, in one place. */
function NewButton({ isRound = false }: { readonly isRound?: boolean }): ReactNode {
  const currentId = useCurrentFolder();
  const rootId = useSession((state) => state.signedIn?.rootId ?? 0);
  const parentId = currentId ?? rootId;
  const open = (event: MouseEvent<HTMLButtonElement>) => {
    const target = { parentId, folderName: folderName(parentId) };
    openMenu({
      label: "New",
      anchor: event.currentTarget,
      align: isRound ? "end" : "start",
      items: [
        { label: "New folder", icon: FolderPlus, onSelect: () => openDialog({ kind: "newFolder", parentId }) },
        { label: "Upload files", icon: FilePlus2, startsGroup: true, onSelect: () => chooseFiles(target, "files") },
        { label: "Upload folder", icon: FolderUp, onSelect: () => chooseFiles(target, "folder") },
      ],
    });
  };
  return (
    <button
      type="button"
      className={isRound ? styles["round"] : styles["new"]}
      aria-haspopup="menu"
      aria-label="New"
      onClick={open}
    >
      <Plus size={isRound ? 24 : 18} aria-hidden />
      {!isRound && "New"}
    </button>
  );
}

/** What the first view does not need: menus, dialogs, tooltips, the upload engine. Loaded when idle, or at once when used. */
function Late(): ReactNode {
  const [isIdle, setIdle] = useState(false);
  const [offers, setOffers] = useState<readonly UploadOffer[]>([]);
  const isOverlaid = useOverlays((state) => state.menu !== undefined || state.dialog !== undefined);
  const isTold = useToasts((state) => state.toasts.length > 0);
  const signedIn = useSession((state) => state.signedIn);
  useEffect(() => whenIdle(() => setIdle(true)), []);
  useEffect(() => onUploadOffered((offer) => setOffers((known) => [...known, offer])), []);
  if (signedIn === undefined) return null;
  return (
    <Suspense fallback={null}>
      {(isIdle || isOverlaid || isTold) && <Overlays rootId={signedIn.rootId} />}
      {(isIdle || offers.length > 0) && (
        <Uploads
          offers={offers}
          onTaken={(taken) => setOffers((known) => known.slice(taken))}
          partSizeBytes={signedIn.partSizeBytes}
        />
      )}
    </Suspense>
  );
}

/** Keeps the header's account and connection, and closes the drawer after navigation. */
function useChromeState(): void {
  const navigate = useNavigate();
  const email = useSession((state) => state.signedIn?.email ?? "");
  const connection = useDrive((state) => state.connection);
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(() => {
    const leave = async () => {
      await signOut();
      resetDrive();
      await navigate({ to: "/signin" });
    };
    const onSignOut = () =>
      void leave().catch((thrown: unknown) =>
        showToast(`Could not sign out. ${explainFailure(thrown).title}`, { isError: true }),
      );
    useChrome.setState({ email, connection, onSignOut });
  }, [email, connection, navigate]);
  useEffect(() => setDrawerOpen(false), [path]);
}

function useCurrentFolder(): number | undefined {
  const params: { readonly folderId?: string } = useParams({ strict: false });
  const path = useRouterState({ select: (state) => state.location.pathname });
  const rootId = useSession((state) => state.signedIn?.rootId);
  if (params.folderId !== undefined) return Number(params.folderId);
  return path === "/" ? rootId : undefined;
}
