import { formatBytes } from "@holdfast/base";
import type { NodeTask } from "@holdfast/proto/fleet/v1/fleet";
import { formatDuration, formatTime } from "../output.ts";

/** What a node does for its intent, for `--json`. */
export function taskDocument(task: NodeTask): Record<string, unknown> {
  return {
    kind: task.kind,
    startedAtMs: Number(task.startedAtMs),
    endsAtMs: Number(task.endsAtMs),
    copiesTotal: Number(task.copiesTotal),
    copiesLeft: Number(task.copiesLeft),
    bytesLeft: Number(task.bytesLeft),
    remainingMs: Number(task.remainingMs),
    blockedReasons: task.blockedReasons,
    reason: task.reason,
    isSafeToRemove: task.isSafeToRemove,
    replacedByNodeId: task.replacedByNodeId === 0 ? undefined : task.replacedByNodeId,
  };
}

/** The same in one line. */
export function taskSentence(task: NodeTask): string {
  const why = task.reason === "" ? "" : ` (${task.reason})`;
  const end = task.replacedByNodeId === 0 ? "safe to switch off for ever" : "is removed in a moment";
  const safe = task.isSafeToRemove ? `; ${end}` : "";
  const blocked = task.blockedReasons.length === 0 ? "" : `; waits: ${task.blockedReasons.join(" ")}`;
  if (task.kind !== "drain") {
    const until = task.endsAtMs === 0n ? "" : ` until ${formatTime(Number(task.endsAtMs))}`;
    return `${task.kind}${until}${why}${safe}${blocked}`;
  }
  const done = task.copiesTotal - task.copiesLeft;
  const percent = task.copiesTotal === 0n ? 100 : Math.floor((Number(done) / Number(task.copiesTotal)) * 100);
  const time =
    task.remainingMs === 0n || task.copiesLeft === 0n
      ? ""
      : `, about ${formatDuration(Number(task.remainingMs) / 1000)} left`;
  const left = `${task.copiesLeft} of ${task.copiesTotal} copies (${formatBytes(Number(task.bytesLeft))}) left`;
  return `drain ${percent} %: ${left}${time}${why}${safe}${blocked}`;
}
