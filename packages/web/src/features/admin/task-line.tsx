import { formatBytes } from "@holdfast/base";
import type { ReactNode } from "react";
import { formatClock, formatCount, formatDuration } from "../../lib/format.ts";
import { Button } from "../../ui/button.tsx";
import { openAdminDialog } from "./admin-store.ts";
import type { ClusterNode } from "./model/cluster.ts";
import type { FleetTask } from "./model/fleet.ts";
import styles from "./nodes-section.module.css";

/** What a node does because it was ordered to: how far it is, why it waits, and the way back. */
export function TaskLine({ node, task }: { readonly node: ClusterNode; readonly task: FleetTask }): ReactNode {
  const isDrain = task.kind === "drain";
  const share = task.copiesTotal === 0 ? 1 : (task.copiesTotal - task.copiesLeft) / task.copiesTotal;
  const percent = Math.floor(share * 100);
  return (
    <div className={styles["taskLine"]}>
      {isDrain && !task.isSafeToRemove && (
        <span
          className={styles["progress"]}
          role="progressbar"
          aria-label={`Drain of ${node.name}`}
          aria-valuenow={percent}
          aria-valuemin={0}
          aria-valuemax={100}
        >
          <span style={{ width: `${percent}%` }} />
        </span>
      )}
      <p>
        {taskText(task, percent)}
        {task.reason !== "" && <span className={styles["muted"]}> “{task.reason}”</span>}
        {task.blockedReasons.map((reason) => (
          <span key={reason} className={styles["blocked"]}>
            ◐ {reason}
          </span>
        ))}
      </p>
      <span className={styles["taskButtons"]}>
        {task.isSafeToRemove && task.replacedByNodeId === 0 && (
          <Button onClick={() => openAdminDialog({ kind: "remove", node })}>Remove {node.name}…</Button>
        )}
        {task.replacedByNodeId === 0 && (
          <Button onClick={() => openAdminDialog({ kind: "activate", node })}>{backWord(task)}</Button>
        )}
      </span>
    </div>
  );
}

function taskText(task: FleetTask, percent: number): string {
  if (task.kind === "maintenance")
    return `May be away until ${formatClock(task.endsAtMs)}; nothing is repaired meanwhile.`;
  if (task.kind === "failed") return "Declared dead: its copies do not count.";
  if (task.isSafeToRemove && task.replacedByNodeId > 0) return "Nothing depends on it any more; it is removed now.";
  if (task.isSafeToRemove) return "Drained: it holds nothing that is needed.";
  const left = `${formatCount(task.copiesLeft)} of ${formatCount(task.copiesTotal)} copies left (${formatBytes(task.bytesLeft)})`;
  return `${percent} % · ${left}${task.remainingMs === 0 ? "" : ` · ${formatDuration(task.remainingMs)}`}`;
}

function backWord(task: FleetTask): string {
  if (task.kind === "maintenance") return "End maintenance…";
  if (task.kind === "failed") return "Take back…";
  return task.isSafeToRemove ? "Take copies again…" : "Cancel drain…";
}
