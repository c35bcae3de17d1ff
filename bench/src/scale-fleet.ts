import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { ScaleSize } from "@holdfast/master/testing/scale";
import type { NodeCounts } from "./scale-node.ts";

/** Where the nodes are and what is on them. */
export interface NodesPlace {
  readonly size: ScaleSize;
  readonly address: string;
  readonly joinSecret: string;
  readonly zoneCount: number;
  /** By (node id - 1) * 256 + bucket; changes with what the nodes do. */
  readonly digests: Float64Array;
  readonly copyCounts: Uint32Array;
}

/** What the process of the nodes is told. It answers each with its counts. */
export type NodesOrder =
  | { readonly kind: "place"; readonly place: NodesPlace }
  | { readonly kind: "join"; readonly firstId: number; readonly lastId: number }
  | { readonly kind: "run" | "stop"; readonly nodeIds: readonly number[] }
  | { readonly kind: "damage" | "lose"; readonly nodeIds: readonly number[]; readonly copiesMax: number }
  | { readonly kind: "count" };

/** The simulated nodes, all in one process. */
export class ScaleFleet {
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;

  constructor() {
    this.#child = fork(path.join(import.meta.dirname, "scale-nodes.ts"), { serialization: "advanced" });
    this.#ended = once(this.#child, "exit").then(() => {
      throw new Error("the process of the simulated nodes ended");
    });
    // Whoever waits for an answer is told; at the end nobody does.
    this.#ended.catch(() => undefined);
  }

  /** Settles when it is done; gives what happened since the last order. */
  async tell(order: NodesOrder): Promise<NodeCounts> {
    const answered = once(this.#child, "message");
    this.#child.send(order);
    const [counts] = (await Promise.race([answered, this.#ended])) as [NodeCounts];
    return counts;
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }
}

/** first, first + 1, ... last. */
export function idsBetween(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
