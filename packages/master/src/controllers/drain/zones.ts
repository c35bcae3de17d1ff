import type { CopyNode } from "../repair/copy-node.ts";

/**
 * Which zones a copy may go to when it leaves a node by order, or undefined for any: when some node that is to stay stands
 * in a zone without a copy, the copy waits for such a node (full, slow or silent as it may be now) rather than to give up a
 * zone. Nothing is at risk meanwhile: the leaving copy counts until it is replaced.
 */
export function zonesForDrain(
  nodes: readonly CopyNode[],
  stayingNodeIds: readonly number[],
  holderNodeIds: readonly number[],
): ((zone: string) => boolean) | undefined {
  const zoneOf = (nodeId: number): string | undefined => nodes.find((node) => node.nodeId === nodeId)?.zone;
  const taken = new Set(stayingNodeIds.map(zoneOf));
  const before = new Set(holderNodeIds.map(zoneOf)).size;
  // Nothing is given up by staying in the zones that are left.
  if (taken.size >= before) return undefined;
  const isFree = (zone: string): boolean => !taken.has(zone);
  const canWait = nodes.some((node) => node.isActive && node.liveness !== "dead" && isFree(node.zone));
  return canWait ? isFree : undefined;
}
