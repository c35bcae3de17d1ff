import type { ChunkPlace } from "@holdfast/proto/master/v1/master";
import type { Clock } from "@holdfast/runtime";

/** Ms a node that failed a read is asked last. */
const failureMemoryMs = 5000;
/** Weight of the newest read in a node's average. */
const averageWeight = 0.2;
const expectedMsAtFirst = 20;

interface NodeLoad {
  activeCount: number;
  averageMs: number;
  failedUntilMs: number;
}

/** Which copy to read: of a live node, the one with the least to do, the faster one first. Learns from every read. */
export class ReplicaChoice {
  readonly #clock: Clock;
  readonly #loads = new Map<number, NodeLoad>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The places in the order they should be tried; equal ones keep the masters' order. */
  order(places: readonly ChunkPlace[]): ChunkPlace[] {
    const nowMs = this.#clock.monotonicMs();
    const cost = ({ nodeId }: ChunkPlace): number => {
      const load = this.#loads.get(nodeId);
      if (load === undefined) return expectedMsAtFirst;
      const penaltyMs = load.failedUntilMs > nowMs ? 1_000_000 : 0;
      return penaltyMs + (load.activeCount + 1) * load.averageMs;
    };
    return places
      .map((place) => ({ place, cost: cost(place) }))
      .sort((left, right) => left.cost - right.cost)
      .map(({ place }) => place);
  }

  /** A read begins. The answer ends it: with its outcome, or "given up" when nothing was learned. */
  begin(nodeId: number): (outcome: "read" | "failed" | "givenUp") => void {
    const load = this.#loadOf(nodeId);
    const beganMs = this.#clock.monotonicMs();
    load.activeCount++;
    return (outcome) => {
      const nowMs = this.#clock.monotonicMs();
      load.activeCount--;
      if (outcome === "failed") load.failedUntilMs = nowMs + failureMemoryMs;
      if (outcome === "read") {
        load.failedUntilMs = 0;
        load.averageMs += averageWeight * (nowMs - beganMs - load.averageMs);
      }
    };
  }

  /** Ms after which a read of this node counts as slow. */
  slowAfterMs(nodeId: number, limits: { readonly min: number; readonly max: number }): number {
    return Math.min(limits.max, Math.max(limits.min, 4 * this.#loadOf(nodeId).averageMs));
  }

  #loadOf(nodeId: number): NodeLoad {
    let load = this.#loads.get(nodeId);
    if (load === undefined) {
      load = { activeCount: 0, averageMs: expectedMsAtFirst, failedUntilMs: 0 };
      this.#loads.set(nodeId, load);
    }
    return load;
  }
}
