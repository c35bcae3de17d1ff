import { useState, type ReactNode } from "react";
import { explainFailure } from "../../lib/failure.ts";
import { Button } from "../../ui/button.tsx";
import { showToast } from "../../ui/toast-store.ts";
import { admin } from "./admin-client.ts";
import styles from "./nodes-section.module.css";
import type { ClusterNode } from "./model/cluster.ts";
import { idleProcesses, type IdleProcess, type LocalNode } from "./model/local-nodes.ts";

interface IdleLocalNodesProps {
  readonly processes: readonly LocalNode[] | undefined;
  readonly nodes: readonly ClusterNode[];
}

/** Processes on the machine of npm start that were stopped, or whose nodes were removed, each with a button to start or end it. */
export function IdleLocalNodes({ processes, nodes }: IdleLocalNodesProps): ReactNode {
  const [busyName, setBusyName] = useState("");
  const idle = idleProcesses(processes, nodes);
  if (idle.length === 0) return null;
  const change = async ({ name, nodeName, kind }: IdleProcess) => {
    setBusyName(name);
    try {
      if (kind === "stopped") await admin.startLocalNode({ name });
      else await admin.stopLocalNode({ name });
      showToast(kind === "stopped" ? `${nodeName} was started` : `Process ${name} has ended`);
    } catch (thrown) {
      const failure = explainFailure(thrown);
      showToast(failure.title, { detail: failure.advice, isError: true });
    }
    setBusyName("");
  };
  return (
    <ul className={styles["stopped"]} aria-label="Idle processes">
      {idle.map((process) => (
        <li key={process.name}>
          <span>
            <IdleText process={process} />
          </span>
          <Button disabled={busyName === process.name} onClick={() => void change(process)}>
            {process.kind === "stopped" ? `Start ${process.nodeName}` : `End process ${process.name}`}
          </Button>
        </li>
      ))}
    </ul>
  );
}

function IdleText({ process: { name, nodeName, kind } }: { readonly process: IdleProcess }): ReactNode {
  const its = name === nodeName ? "its process" : `its process ${name}`;
  return kind === "stopped" ? (
    <>
      ○ {nodeName} <span className={styles["muted"]}>{its} on this machine is stopped</span>
    </>
  ) : (
    <>
      ✕ Process {name} <span className={styles["muted"]}>its node is no longer part of the cluster</span>
    </>
  );
}
