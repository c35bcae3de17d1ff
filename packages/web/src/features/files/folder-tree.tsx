import { useNavigate } from "@tanstack/react-router";
import { ChevronRight, Folder, HardDrive } from "lucide-react";
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { useShallow } from "zustand/react/shallow";
import { after } from "../../lib/time.ts";
import { useDropTarget } from "./drag.ts";
import { useDrive } from "./drive-store.ts";
import styles from "./folder-tree.module.css";
import { loadPage } from "./load-folder.ts";

interface FolderTreeProps {
  readonly rootId: number;
  readonly currentId: number | undefined;
  /** Instead of navigating: chooses a folder, as the move dialog does. */
  readonly onChoose?: (id: number) => void;
  /** These and everything in them cannot be chosen. */
  readonly disabledIds?: readonly number[];
}

const springMs = 700;

/** The folders as a tree: read when opened, kept up to date by the same live changes as the list, and a drop target each. */
export function FolderTree({ rootId, currentId, onChoose, disabledIds = [] }: FolderTreeProps): ReactNode {
  const ancestors = useDrive((state) => (currentId === undefined ? undefined : state.ancestors.get(currentId)));
  const [expanded, setExpanded] = useState<ReadonlySet<number>>(new Set([rootId]));
  const tree = useRef<HTMLUListElement>(null);
  useEffect(() => {
    if (ancestors !== undefined && ancestors.length > 0) setExpanded((known) => new Set([...known, ...ancestors]));
  }, [ancestors]);
  const setOpen = (id: number, isOpen: boolean) =>
    setExpanded((known) => {
      const next = new Set(known);
      if (isOpen) next.add(id);
      else next.delete(id);
      return next;
    });
  const context: TreeContext = { rootId, currentId, expanded, setOpen, onChoose, disabledIds };
  return (
    <ul
      ref={tree}
      role="tree"
      aria-label="Folders"
      className={styles["tree"]}
      onKeyDown={(event) => onTreeKey(event, context)}
    >
      <TreeNode id={rootId} parentId={0} level={1} context={context} />
    </ul>
  );
}

interface TreeContext {
  readonly rootId: number;
  readonly currentId: number | undefined;
  readonly expanded: ReadonlySet<number>;
  readonly setOpen: (id: number, isOpen: boolean) => void;
  readonly onChoose: ((id: number) => void) | undefined;
  readonly disabledIds: readonly number[];
}

function TreeNode({
  id,
  parentId,
  level,
  context,
}: {
  readonly id: number;
  readonly parentId: number;
  readonly level: number;
  readonly context: TreeContext;
}): ReactNode {
  const navigate = useNavigate();
  const name = useDrive((state) => state.entries.get(id)?.name ?? "");
  const isExpanded = context.expanded.has(id);
  const childIds = useChildFolders(id, isExpanded);
  const { isOver, handlers } = useDropTarget(id);
  useEffect(
    () => (isOver && !isExpanded ? after(springMs, () => context.setOpen(id, true)) : undefined),
    [isOver, isExpanded, context, id],
  );
  const isRoot = id === context.rootId;
  const isCurrent = id === context.currentId;
  const isDisabled = context.disabledIds.includes(id);
  const choose = () => {
    if (isDisabled) return;
    if (context.onChoose !== undefined) context.onChoose(id);
    else void (isRoot ? navigate({ to: "/" }) : navigate({ to: "/f/$folderId", params: { folderId: String(id) } }));
  };
  const Icon = isRoot ? HardDrive : Folder;
  const hasTwisty = childIds === undefined || childIds.length > 0;
  return (
    <li role="none">
      <div
        role="treeitem"
        aria-level={level}
        aria-selected={isCurrent}
        aria-disabled={isDisabled}
        {...(hasTwisty ? { "aria-expanded": isExpanded } : {})}
        data-id={id}
        data-parent={parentId}
        tabIndex={isCurrent || (context.currentId === undefined && isRoot) ? 0 : -1}
        className={[styles["line"], isCurrent ? styles["current"] : "", isOver ? styles["over"] : ""].join(" ")}
        style={{ paddingLeft: 4 + (level - 1) * 14 }}
        onClick={choose}
        {...handlers}
      >
        <span
          className={`${styles["twisty"]} ${isExpanded ? styles["open"] : ""}`}
          style={{ visibility: hasTwisty ? "visible" : "hidden" }}
          aria-hidden
          onClick={(event) => {
            event.stopPropagation();
            context.setOpen(id, !isExpanded);
          }}
        >
          <ChevronRight size={14} />
        </span>
        <Icon size={16} aria-hidden />
        <span className={styles["name"]}>{isRoot ? "My files" : name}</span>
      </div>
      {isExpanded && childIds !== undefined && childIds.length > 0 && (
        <ul role="group">
          {childIds.map((childId) => (
            <TreeNode
              key={childId}
              id={childId}
              parentId={id}
              level={level + 1}
              context={isDisabled ? { ...context, disabledIds: [...context.disabledIds, childId] } : context}
            />
          ))}
        </ul>
      )}
    </li>
  );
}

/** Folders sort first, so the first page has them all unless there are more than a page of them. */
function useChildFolders(id: number, isExpanded: boolean): readonly number[] | undefined {
  const page = useDrive((state) => state.folders.get(id)?.pages.get(0));
  const knownCount = useDrive((state) => state.entries.get(id)?.childCount);
  const isMissing = isExpanded && page?.isStale !== false;
  useEffect(() => {
    if (isMissing) void loadPage(id, 0);
  }, [id, isMissing]);
  const childIds = useDrive(
    useShallow((state) => page?.ids.filter((childId) => state.entries.get(childId)?.kind === "folder")),
  );
  return childIds ?? (knownCount === 0 ? [] : undefined);
}

function onTreeKey(event: KeyboardEvent<HTMLUListElement>, context: TreeContext): void {
  const items = Array.from(event.currentTarget.querySelectorAll<HTMLElement>("[role=treeitem]"));
  const position = items.findIndex((item) => item === document.activeElement);
  const item = items[position];
  if (item === undefined) return;
  const id = Number(item.dataset["id"]);
  const isOpen = item.getAttribute("aria-expanded") === "true";
  const parent = items.find((one) => one.dataset["id"] === item.dataset["parent"]);
  if (event.key === "ArrowDown") items[position + 1]?.focus();
  else if (event.key === "ArrowUp") items[position - 1]?.focus();
  else if (event.key === "Home") items[0]?.focus();
  else if (event.key === "End") items.at(-1)?.focus();
  else if (event.key === "ArrowRight" && !isOpen) context.setOpen(id, true);
  else if (event.key === "ArrowRight") items[position + 1]?.focus();
  else if (event.key === "ArrowLeft" && isOpen) context.setOpen(id, false);
  else if (event.key === "ArrowLeft") parent?.focus();
  else if (event.key === "Enter" || event.key === " ") item.click();
  else return;
  event.preventDefault();
  event.stopPropagation();
}
