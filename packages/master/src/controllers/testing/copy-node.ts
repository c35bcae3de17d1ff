import type { CopyNode } from "../repair/copy-node.ts";

/** A live, active node for tests of plans, in no zone; `fields` say what is different. */
export function copyNode(nodeId: number, fields: Partial<CopyNode> = {}): CopyNode {
  const names = { nodeId, name: `node-${nodeId}`, address: `node-${nodeId}:7000`, zone: "", rack: "" };
  const room = { capacityBytes: 1000, freeBytes: 900, isWritable: true, activeWriteCount: 0, heldBytes: 100 };
  const state = { isActive: true, liveness: "live", isCautioned: false, downAtMs: undefined } as const;
  const worth = {
    counts: true,
    stays: true,
    isLeaving: false,
    isExcused: false,
    isFailed: false,
    successorId: undefined,
  };
  return { ...names, ...room, ...state, ...worth, ...fields };
}

/** What a vanished node differs in. */
export const dead: Partial<CopyNode> = { liveness: "dead", downAtMs: 0, counts: false, stays: false };

/** What a node that gives its copies away differs in. */
export const leaving: Partial<CopyNode> = { isActive: false, stays: false, isLeaving: true };

/** What a node that an administrator declared dead differs in. */
export const failed: Partial<CopyNode> = { isActive: false, counts: false, stays: false, isFailed: true };
