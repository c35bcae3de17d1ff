import { copySetsOfNode } from "../chunks/node-copy-sets.ts";
import type { TableReader } from "../tables.ts";

/** What a node's absence would mean for the chunks on it, counted by copy sets. */
export interface NodeLosses {
  /** Needed chunks with a confirmed copy on the node. */
  readonly copiesCount: number;
  /** Those without any other copy that satisfies the question. */
  readonly lastCopiesCount: number;
  /** Those with fewer such copies than wanted. */
  readonly shortCount: number;
  /** Nodes that hold the other confirmed copies of the last ones, which do not satisfy; ascending. */
  readonly unusableNodeIds: readonly number[];
}

/** Counts what would be left without the node: `isLeft` says which other nodes' copies satisfy. */
export function countLosses(
  tables: TableReader,
  nodeId: number,
  question: { readonly isLeft: (nodeId: number) => boolean; readonly wanted: number },
): NodeLosses {
  let copiesCount = 0;
  let lastCopiesCount = 0;
  let shortCount = 0;
  const unusable = new Set<number>();
  for (const { nodeIds, heldCount } of copySetsOfNode(tables, nodeId)) {
    if (heldCount === 0) continue;
    const others = nodeIds.filter((other) => other !== nodeId);
    const leftCount = others.filter(question.isLeft).length;
    copiesCount += heldCount;
    if (leftCount < question.wanted) shortCount += heldCount;
    if (leftCount > 0) continue;
    lastCopiesCount += heldCount;
    for (const other of others) unusable.add(other);
  }
  const unusableNodeIds = [...unusable].toSorted((left, right) => left - right);
  return { copiesCount, lastCopiesCount, shortCount, unusableNodeIds };
}
