import type { GetFleetResponse } from "@holdfast/proto/fleet/v1/fleet";
import type { GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";
import { formatTime } from "../output.ts";
import { nodeName } from "./find-node.ts";
import { taskDocument, taskSentence } from "./task-view.ts";
import { drillWord } from "./words.ts";

/** What `admin status --json` says of orders and drills. */
export function fleetDocument(fleet: GetFleetResponse, status: GetClusterStatusResponse): Record<string, unknown> {
  return {
    preset: fleet.preset,
    isRepairPaused: fleet.isRepairPaused,
    isBalancePaused: fleet.balance?.isPaused ?? false,
    tasks: fleet.tasks.map((task) => ({ node: nodeName(status, task.nodeId), ...taskDocument(task) })),
    drills: fleet.drills.map((drill) => ({
      drillId: Number(drill.drillId),
      node: nodeName(status, drill.nodeId),
      kind: drillWord(drill.kind),
      endsAtMs: Number(drill.endsAtMs),
    })),
  };
}

/** The same for people: one line for each thing that is not as usual. */
export function fleetSentences(fleet: GetFleetResponse, status: GetClusterStatusResponse): readonly string[] {
  return [
    ...fleet.tasks.map((task) => `${nodeName(status, task.nodeId)}: ${taskSentence(task)}`),
    ...fleet.drills.map(
      (drill) =>
        `${nodeName(status, drill.nodeId)}: drill "${drillWord(drill.kind)}" until ${formatTime(Number(drill.endsAtMs))}`,
    ),
    fleet.isRepairPaused ? "Repair is paused." : "",
    fleet.balance?.isPaused === true ? "Balancing is paused." : "",
  ];
}
