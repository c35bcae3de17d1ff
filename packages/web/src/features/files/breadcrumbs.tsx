import { Link, useNavigate } from "@tanstack/react-router";
import { ChevronRight, Ellipsis, Folder } from "lucide-react";
import { useMemo, type MouseEvent, type ReactNode } from "react";
import { useShallow } from "zustand/react/shallow";
import { openMenu } from "../../ui/overlay-store.ts";
import { useMedia } from "../../ui/use-media.ts";
import styles from "./breadcrumbs.module.css";
import { useDropTarget } from "./drag.ts";
import { useDrive } from "./drive-store.ts";

interface Crumb {
  readonly id: number;
  readonly name: string;
}

/** Where one is; every crumb takes drops, and the middle ones hide in a menu when there are many. */
export function Breadcrumbs({ folderId, rootId }: { readonly folderId: number; readonly rootId: number }): ReactNode {
  const isNarrow = useMedia("(max-width: 639px)");
  const names = useDrive(
    useShallow((state) =>
      [...(state.ancestors.get(folderId) ?? []), folderId].map((id) => `${id}/${state.entries.get(id)?.name ?? ""}`),
    ),
  );
  const crumbs = useMemo(() => names.map((text): Crumb => toCrumb(text, rootId)), [names, rootId]);
  const shownMax = isNarrow ? 1 : 4;
  const hidden = crumbs.length > shownMax ? crumbs.slice(isNarrow ? 0 : 1, isNarrow ? -1 : 2 - shownMax) : [];
  const shown = crumbs.filter((crumb) => !hidden.includes(crumb));
  return (
    <nav aria-label="Breadcrumb" className={styles["nav"]}>
      <ol className={styles["list"]}>
        {isNarrow && hidden.length > 0 && <HiddenCrumbs crumbs={hidden} rootId={rootId} />}
        {shown.map((crumb, position) => (
          <li key={crumb.id} className={styles["crumb"]}>
            {position > 0 && <ChevronRight size={16} className={styles["divider"]} aria-hidden />}
            {crumb.id === folderId ? <CurrentCrumb crumb={crumb} /> : <CrumbLink crumb={crumb} rootId={rootId} />}
            {!isNarrow && position === 0 && hidden.length > 0 && <HiddenCrumbs crumbs={hidden} rootId={rootId} />}
          </li>
        ))}
      </ol>
    </nav>
  );
}

function CurrentCrumb({ crumb }: { readonly crumb: Crumb }): ReactNode {
  return (
    <h1 className={styles["current"]} aria-current="page" title={crumb.name}>
      {crumb.name}
    </h1>
  );
}

function CrumbLink({ crumb, rootId }: { readonly crumb: Crumb; readonly rootId: number }): ReactNode {
  const { isOver, handlers } = useDropTarget(crumb.id);
  const className = `${styles["link"]} ${isOver ? styles["over"] : ""}`;
  return crumb.id === rootId ? (
    <Link to="/" className={className} {...handlers}>
      {crumb.name}
    </Link>
  ) : (
    <Link
      to="/f/$folderId"
      params={{ folderId: String(crumb.id) }}
      className={className}
      title={crumb.name}
      {...handlers}
    >
      {crumb.name}
    </Link>
  );
}

function HiddenCrumbs({ crumbs, rootId }: { readonly crumbs: readonly Crumb[]; readonly rootId: number }): ReactNode {
  const navigate = useNavigate();
  const go = (crumb: Crumb) =>
    void (crumb.id === rootId
      ? navigate({ to: "/" })
      : navigate({ to: "/f/$folderId", params: { folderId: String(crumb.id) } }));
  const open = (event: MouseEvent<HTMLButtonElement>) =>
    openMenu({
      label: "Folders above",
      anchor: event.currentTarget,
      items: crumbs.map((crumb) => ({ label: crumb.name, icon: Folder, onSelect: () => go(crumb) })),
    });
  return (
    <>
      <ChevronRight size={16} className={styles["divider"]} aria-hidden />
      <button type="button" className={styles["more"]} aria-label="Folders above" aria-haspopup="menu" onClick={open}>
        <Ellipsis size={18} />
      </button>
    </>
  );
}

function toCrumb(text: string, rootId: number): Crumb {
  const slash = text.indexOf("/");
  const id = Number(text.slice(0, slash));
  const name = text.slice(slash + 1);
  return { id, name: id === rootId ? "My files" : name === "" ? "…" : name };
}
