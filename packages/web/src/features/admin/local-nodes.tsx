import { useState, type ReactNode } from "react";
import { explainFailure } from "../../lib/failure.ts";
import { Button } from "../../ui/button.tsx";
import { showToast } from "../../ui/toast-store.ts";
import { admin } from "./admin-client.ts";
import styles from "./nodes-section.module.css";
import type { LocalNode } from "./use-fleet.ts";

/** Processes on the machine of npm start that were stopped, each with a button to start it again. */
export function StoppedLocalNodes({ nodes }: { readonly nodes: readonly LocalNode[] | undefined }): ReactNode {
  const [startingName, setStartingName] = useState("");
  const stopped = (nodes ?? []).filter((node) => node.state === "stopped");
  if (stopped.length === 0) return null;
  const start = async (name: string) => {
    setStartingName(name);
    try {
      await admin.startLocalNode({ name });
      showToast(`${name} was started`);
    } catch (thrown) {
      const failure = explainFailure(thrown);
      showToast(failure.title, { detail: failure.advice, isError: true });
    }
    setStartingName("");
  };
  return (
    <ul className={styles["stopped"]} aria-label="Stopped on this machine">
      {stopped.map(({ name }) => (
        <li key={name}>
          <span>
            ○ {name} <span className={styles["muted"]}>its process on this machine is stopped</span>
          </span>
          <Button disabled={startingName === name} onClick={() => void start(name)}>
            Start {name}
          </Button>
        </li>
      ))}
    </ul>
  );
}
