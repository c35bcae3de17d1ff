import type { PlacementNode } from "../../domain/fleet/placement-nodes.ts";

/** A node as the plans of copies see it: where it stands, how it is, and what its copies are worth. */
export interface CopyNode extends PlacementNode {
  /** Leader time of its NodeDown when it vanished by itself; undefined while it is up or away by an administrator's order. */
  readonly downAtMs: number | undefined;
  /** Copies there count. */
  readonly counts: boolean;
  /** Copies there count towards the number wanted: the node is not giving them away. */
  readonly stays: boolean;
  /** It gives its copies away or has done so. */
  readonly isLeaving: boolean;
  /** Away with leave: its copies are waited for. */
  readonly isExcused: boolean;
  /** Declared dead by an administrator: nothing of it is waited for. */
  readonly isFailed: boolean;
  /** Who took its place and shall hold its copies; undefined when nobody did, or that one is gone, too. */
  readonly successorId: number | undefined;
  /** Bytes of needed copies there, by the log. */
  readonly heldBytes: number;
}

/** What a chunk's copies are worth now. */
export interface CopyWorth {
  /** Copies that count. */
  readonly counted: number;
  /** Copies that count towards the number wanted, those that are waited for included. */
  readonly towards: number;
  /** Copies on nodes that give theirs away. */
  readonly leaving: number;
}

/** Other copies that must be left while one is waited for. */
const othersMin = 2;

const countsFlag = 1;
const staysFlag = 2;
const excusedFlag = 4;
const leavingFlag = 8;

/**
 * Weighs sets of copies, tens of thousands against one look at the nodes. Copies on a node in maintenance that is away are
 * waited for, as long as two others (one, when only one is wanted) count.
 */
export class CopyScales {
  /** What copies on a node are worth, by its id. */
  readonly #flags: Uint8Array;
  readonly #bearableMin: number;

  constructor(nodes: readonly CopyNode[], replication: number) {
    this.#bearableMin = Math.min(othersMin, replication);
    this.#flags = new Uint8Array(nodes.reduce((idMax, { nodeId }) => Math.max(idMax, nodeId), 0) + 1);
    for (const { nodeId, counts, stays, isExcused, isLeaving } of nodes) {
      this.#flags[nodeId] =
        Number(counts) * countsFlag +
        Number(stays) * staysFlag +
        Number(isExcused) * excusedFlag +
        Number(isLeaving) * leavingFlag;
    }
  }

  weigh(nodeIds: readonly number[]): CopyWorth {
    let counted = 0;
    let staying = 0;
    let excused = 0;
    let leaving = 0;
    for (const nodeId of nodeIds) {
      const flags = this.#flags[nodeId] ?? 0;
      if ((flags & countsFlag) !== 0) counted += 1;
      if ((flags & staysFlag) !== 0) staying += 1;
      if ((flags & excusedFlag) !== 0) excused += 1;
      if ((flags & leavingFlag) !== 0) leaving += 1;
    }
    return { counted, towards: counted >= this.#bearableMin ? staying + excused : staying, leaving };
  }
}
