import { formatBytes } from "@holdfast/base";
import { useState, type ReactNode } from "react";
import { formatItems } from "../../lib/format.ts";
import { Button } from "../../ui/button.tsx";
import { Modal } from "../../ui/modal.tsx";
import styles from "./conflict-dialog.module.css";
import type { UploadItem } from "./model/upload-item.ts";
import { changeUploads, uploadQueue, useUploads } from "./upload-engine.ts";

type Choice = "keepBoth" | "replace" | "skip";

const choiceWords: readonly (readonly [Choice, string])[] = [
  ["keepBoth", "Keep both"],
  ["replace", "Replace"],
  ["skip", "Skip"],
];

/** Asks once for all files whose names are taken; the others go on meanwhile. */
export function ConflictDialog(): ReactNode {
  useUploads((view) => view.tick);
  const [choices, setChoices] = useState<ReadonlyMap<number, Choice>>(new Map());
  const [isForRest, setForRest] = useState(true);
  const asking = [...uploadQueue().items.values()].filter((item) => item.status === "asking");
  const choiceOf = (item: UploadItem) => choices.get(item.id) ?? "keepBoth";
  const setAll = (choice: Choice) => setChoices(new Map(asking.map((item) => [item.id, choice])));
  const [first] = asking;
  const uniform =
    first !== undefined && asking.every((item) => choiceOf(item) === choiceOf(first)) ? choiceOf(first) : undefined;
  const verb = choiceWords.find(([choice]) => choice === uniform)?.[1] ?? "Apply";
  const decide = () =>
    changeUploads((queue) => {
      for (const item of asking) queue.choose([item.id], choiceOf(item), isForRest && uniform !== undefined);
    });
  const skipAll = () =>
    changeUploads((queue) =>
      queue.choose(
        asking.map((item) => item.id),
        "skip",
        false,
      ),
    );

  return (
    <Modal
      isWide
      title={`${formatItems(asking.length, "name")} ${asking.length === 1 ? "is" : "are"} taken`}
      text="Everything else is being uploaded. Replacing keeps the old file as an earlier version."
      onClose={skipAll}
      footer={
        <>
          <label className={styles["rest"]}>
            <input type="checkbox" checked={isForRest} onChange={(event) => setForRest(event.target.checked)} />
            The same for others in this upload
          </label>
          <Button onClick={skipAll}>Skip all</Button>
          <Button look="primary" onClick={decide}>
            {verb}
          </Button>
        </>
      }
    >
      {asking.length > 1 && (
        <div className={styles["bulk"]}>
          For all:
          {choiceWords.map(([choice, word]) => (
            <Button key={choice} onClick={() => setAll(choice)}>
              {word}
            </Button>
          ))}
        </div>
      )}
      <ul className={styles["list"]}>
        {asking.slice(0, 200).map((item) => (
          <li key={item.id} className={styles["row"]}>
            <span className={styles["name"]} title={item.name}>
              {item.name}
            </span>
            <span className={styles["size"]}>{formatBytes(item.sizeBytes)}</span>
            <select
              aria-label={`What to do with ${item.name}`}
              value={choiceOf(item)}
              onChange={(event) => setChoices(new Map(choices).set(item.id, event.target.value as Choice))}
            >
              {choiceWords.map(([choice, word]) => (
                <option key={choice} value={choice}>
                  {word}
                </option>
              ))}
            </select>
          </li>
        ))}
      </ul>
      {asking.length > 200 && (
        <p className={styles["size"]}>
          and {formatItems(asking.length - 200, "more", "more")}, kept beside the old ones
        </p>
      )}
    </Modal>
  );
}
