import { HoldfastError } from "@holdfast/base";
import type { LocalNode } from "@holdfast/proto/drive/v1/drive";
import type { GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";

/**
 * The name of the process on the machine of `npm start` that a word means: that of the node which the cluster calls so
 * (one that took another one's place has that one's name), else the process of this name, whether there is one or not.
 * Errors: `notFound` (the node of this name runs elsewhere).
 */
export function findLocalProcess(
  { nodes }: Pick<GetClusterStatusResponse, "nodes">,
  processes: readonly Pick<LocalNode, "name" | "nodeId">[],
  word: string,
): string {
  const node = nodes.find((candidate) => candidate.name === word);
  if (node === undefined) return word;
  const own = processes.find((process) => process.nodeId === node.nodeId);
  if (own !== undefined) return own.name;
  const namesake = processes.find((process) => process.name === word);
  if (namesake === undefined || namesake.nodeId === 0) return word;
  throw new HoldfastError("notFound", `${word} does not run on the machine of npm start. Nothing was changed.`);
}
