import type { CopyNode } from "./copy-node.ts";
import type { RepairLimits } from "./plan.ts";

/**
 * Why automatic repair must not go on, or empty: two or more nodes, and at least the limiting share of all, went down
 * within one window and are still away. That is a switch, a power line or a partition, not so many deaths: copying
 * everything would make it worse. Nodes that are away by an administrator's order do not count.
 */
export function explainMassLoss(nodes: readonly CopyNode[], limits: RepairLimits): string {
  const downAtMs = nodes.map((node) => node.downAtMs).filter((atMs) => atMs !== undefined);
  downAtMs.sort((left, right) => left - right);
  let together = 0;
  let start = 0;
  for (const [position, atMs] of downAtMs.entries()) {
    while (atMs - (downAtMs[start] ?? atMs) > limits.vanishedWindowMs) start++;
    together = Math.max(together, position - start + 1);
  }
  if (together < 2 || together < limits.vanishedShareMax * nodes.length) return "";
  const seconds = Math.round(limits.vanishedWindowMs / 1000);
  return `${together} of ${nodes.length} nodes vanished within ${seconds} s: automatic repair waits until enough of them are back. Nothing is lost by waiting; look at their network and power. An administrator can accept the loss, and repair goes on.`;
}
