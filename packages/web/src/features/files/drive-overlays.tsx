import { useRef, useState, type FormEvent, type ReactNode } from "react";
import { explainFailure } from "../../lib/failure.ts";
import { formatItems } from "../../lib/format.ts";
import { Button } from "../../ui/button.tsx";
import { Modal } from "../../ui/modal.tsx";
import { closeDialog, type OpenDialog } from "../../ui/overlay-store.ts";
import styles from "./drive-overlays.module.css";
import { folderName } from "./drag.ts";
import { useDrive } from "./drive-store.ts";
import { FolderTree } from "./folder-tree.tsx";
import { createFolder, moveEntries } from "./operations.ts";
import { changeSelection } from "./selection-store.ts";
import { selectOnly } from "./model/selection.ts";

/** "New folder": one field, the name selected. */
export function NewFolderDialog({ parentId }: { readonly parentId: number }): ReactNode {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const make = async (name: string) => {
    setBusy(true);
    try {
      const id = await createFolder(parentId, name);
      changeSelection(() => selectOnly(id));
      closeDialog();
    } catch (thrown) {
      setProblem(explainFailure(thrown).title);
      setBusy(false);
      input.current?.select();
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const name = (input.current?.value ?? "").trim().normalize("NFC");
    if (name === "") setProblem("A name is needed.");
    else if (name.includes("/")) setProblem("A name cannot contain “/”.");
    else void make(name);
  };
  return (
    <Modal
      title="New folder"
      text={`In ${folderName(parentId)}`}
      onClose={closeDialog}
      initialFocus={input}
      footer={
        <>
          <Button onClick={closeDialog}>Cancel</Button>
          <Button look="primary" type="submit" form="new-folder" disabled={isBusy}>
            Create folder
          </Button>
        </>
      }
    >
      <form id="new-folder" onSubmit={submit}>
        <input
          ref={input}
          className={styles["input"]}
          defaultValue="Untitled folder"
          aria-label="Name of the folder"
          aria-invalid={problem !== ""}
          aria-describedby="new-folder-problem"
          spellCheck={false}
          onFocus={(event) => event.target.select()}
        />
        <p id="new-folder-problem" role="alert" className={styles["problem"]}>
          {problem}
        </p>
      </form>
    </Modal>
  );
}

/** "Move to…": the way to move without dragging. */
export function MoveDialog({
  ids,
  fromId,
  rootId,
}: {
  readonly ids: readonly number[];
  readonly fromId: number;
  readonly rootId: number;
}): ReactNode {
  const [targetId, setTargetId] = useState(fromId);
  const first = useDrive.getState().entries.get(ids[0] ?? 0)?.name ?? "";
  const what = ids.length === 1 ? `“${first}”` : formatItems(ids.length, "item");
  const move = () => {
    closeDialog();
    void moveEntries(ids, targetId);
  };
  return (
    <Modal
      title={`Move ${what}`}
      onClose={closeDialog}
      footer={
        <>
          <Button onClick={closeDialog}>Cancel</Button>
          <Button look="primary" disabled={targetId === fromId} onClick={move}>
            {targetId === fromId ? "Choose a folder" : `Move to ${folderName(targetId)}`}
          </Button>
        </>
      }
    >
      <div className={styles["tree"]}>
        <FolderTree rootId={rootId} currentId={targetId} onChoose={setTargetId} disabledIds={ids} />
      </div>
    </Modal>
  );
}

/** One of the few questions: only where nothing can be undone. */
export function ConfirmDialog({ dialog }: { readonly dialog: Extract<OpenDialog, { kind: "confirm" }> }): ReactNode {
  const confirm = () => {
    closeDialog();
    dialog.onConfirm();
  };
  return (
    <Modal
      title={dialog.title}
      text={dialog.text}
      onClose={closeDialog}
      footer={
        <>
          <Button onClick={closeDialog}>Cancel</Button>
          <Button look="danger" onClick={confirm}>
            {dialog.verb}
          </Button>
        </>
      }
    />
  );
}

const shortcuts: readonly (readonly [string, string])[] = [
  ["↑ ↓ Home End PgUp PgDn", "Go through the list"],
  ["Any letter", "Jump to a name"],
  ["Enter", "Open a folder, download a file"],
  ["Space", "Select or unselect"],
  ["Shift + arrows", "Select a range"],
  ["Ctrl + A", "Select everything"],
  ["Esc", "Clear the selection"],
  ["F2", "Rename"],
  ["Del", "Move to the trash"],
  ["Ctrl + Z", "Undo"],
  ["Alt + ↑", "To the folder above"],
  ["Alt + Enter", "Details"],
  ["Shift + F10", "Menu of the selected items"],
];

/** Every key in one place. */
export function ShortcutsDialog(): ReactNode {
  return (
    <Modal
      title="Keyboard shortcuts"
      text="They work while the list has the focus."
      onClose={closeDialog}
      footer={<Button onClick={closeDialog}>Close</Button>}
    >
      <dl className={styles["keys"]}>
        {shortcuts.map(([keys, meaning]) => (
          <div key={keys}>
            <dt>{meaning}</dt>
            <dd>
              <kbd>{keys}</kbd>
            </dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
