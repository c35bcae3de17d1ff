import type { ReactNode } from "react";
import styles from "./dialogs.module.css";

/** Whether a new node is to run on another machine or on this one. */
export function WhereField({
  isHere,
  onChange,
}: {
  readonly isHere: boolean;
  readonly onChange: (isHere: boolean) => void;
}): ReactNode {
  return (
    <fieldset className={styles["group"]}>
      <legend>Where</legend>
      <label className={styles["choice"]}>
        <input type="radio" name="where" checked={!isHere} onChange={() => onChange(false)} />
        <span>
          On another machine <span>by a command that works once</span>
        </span>
      </label>
      <label className={styles["choice"]}>
        <input type="radio" name="where" checked={isHere} onChange={() => onChange(true)} />
        <span>
          On this machine <span>one more process beside the others</span>
        </span>
      </label>
    </fieldset>
  );
}
