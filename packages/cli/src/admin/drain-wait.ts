import { setTimeout as delay } from "node:timers/promises";
import type { NodeTask } from "@holdfast/proto/fleet/v1/fleet";
import { Intent } from "@holdfast/proto/model/v1/model";
import type { CommandContext } from "../command.ts";
import { exitCodes, ExitSignal } from "../exit-code.ts";
import type { Session } from "../session.ts";
import { withRetries } from "../transfer/retry.ts";
import { readStatus } from "./status-view.ts";
import { taskDocument, taskSentence } from "./task-view.ts";

const intervalMs = 500;
const plainIntervalMs = 10_000;

/**
 * Follows a drain until the node can be switched off: one line that changes on a terminal, one every 10 s elsewhere, JSON
 * Lines with `--json`. Errors: `ExitSignal` when the time is over (7) or somebody cancelled the drain (4).
 */
export async function waitForDrain(
  session: Session,
  node: { readonly nodeId: number; readonly name: string },
  wait: { readonly context: CommandContext; readonly timeoutMs: number },
): Promise<void> {
  const { output, terminal, signal } = wait.context;
  const untilMs = performance.now() + wait.timeoutMs;
  let toldAtMs = -Infinity;
  for (;;) {
    const intent = (await readStatus(session)).nodes.find(({ nodeId }) => nodeId === node.nodeId)?.intent;
    const task = await taskOf(session, node.nodeId);
    const isDrained = intent === undefined || intent === Intent.DRAINED || intent === Intent.REMOVED;
    const isTelling = isDrained || performance.now() - toldAtMs > plainIntervalMs;
    if (task !== undefined) {
      terminal.progress(`${node.name}: ${taskSentence(task)}`);
      output.record({ messageType: isDrained ? "summary" : "status", node: node.name, ...taskDocument(task) });
      if (isTelling && !terminal.isInteractive) output.note(`${node.name}: ${taskSentence(task)}`);
    }
    if (isTelling) toldAtMs = performance.now();
    if (isDrained) return terminal.progress("");
    if (intent === Intent.ACTIVE) throw new ExitSignal(exitCodes.conflict, `The drain of ${node.name} was cancelled.`);
    if (performance.now() > untilMs)
      throw new ExitSignal(exitCodes.unavailable, `${node.name} is not drained yet; it goes on.`);
    await delay(intervalMs, undefined, { signal });
  }
}

async function taskOf(session: Session, nodeId: number): Promise<NodeTask | undefined> {
  const { tasks } = await withRetries(() => session.fleet.getFleet({}));
  return tasks.find((task) => task.nodeId === nodeId);
}
