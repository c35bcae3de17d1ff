import { HoldfastError } from "@holdfast/base";
import type { GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";
import type { Node } from "@holdfast/proto/model/v1/model";

/** A node by its name or its id. Errors: `notFound`, with the names there are. */
export function findNode({ nodes }: GetClusterStatusResponse, word: string): Node {
  const node =
    nodes.find((candidate) => candidate.name === word) ?? nodes.find((candidate) => String(candidate.nodeId) === word);
  if (node !== undefined) return node;
  const names = nodes.map((candidate) => candidate.name).join(", ");
  throw new HoldfastError("notFound", `There is no node "${word}". There are: ${names === "" ? "none" : names}.`);
}

/** A node's name, or "node 7" for one that is gone. */
export function nodeName({ nodes }: GetClusterStatusResponse, nodeId: number): string {
  return nodes.find((node) => node.nodeId === nodeId)?.name ?? `node ${nodeId}`;
}
