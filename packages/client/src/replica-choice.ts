import type { ChunkPlace } from "@holdfast/proto/master/v1/master";
import type { Clock } from "@holdfast/runtime";

/** Ms a node that failed a read, or left one without an answer, is asked last. */
const avoidanceMs = 5000;
/** Weight of the newest read in a node's averages. */
const averageWeight = 0.2;
const expectedMsAtFirst = 20;

interface NodeLoad {
  activeCount: number;
  /** Of whole reads. */
  averageMs: number;
  /** Until the first bytes come: what tells a node that hangs from one that has much to send. */
  averageFirstMs: number;
  avoidedUntilMs: number;
}

/** A read that goes on. */
export interface OngoingRead {
  /** Its first bytes are here. */
  first(): void;
  /** Another copy was asked because nothing came from this one: until it answers, it is asked last. */
  late(): void;
  /** It is over; "givenUp": by the reader, which says nothing about the node. */
  end(outcome: "read" | "failed" | "givenUp"): void;
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
      const penaltyMs = load.avoidedUntilMs > nowMs ? 1_000_000 : 0;
      return penaltyMs + (load.activeCount + 1) * load.averageMs;
    };
    return places
      .map((place) => ({ place, cost: cost(place) }))
      .sort((left, right) => left.cost - right.cost)
      .map(({ place }) => place);
  }

  /** A read of this node begins. */
  begin(nodeId: number): OngoingRead {
    const load = this.#loadOf(nodeId);
    const beganMs = this.#clock.monotonicMs();
    const elapsedMs = (): number => this.#clock.monotonicMs() - beganMs;
    load.activeCount++;
    return {
      first: () => {
        load.averageFirstMs += averageWeight * (elapsedMs() - load.averageFirstMs);
        load.avoidedUntilMs = 0;
      },
      late: () => void (load.avoidedUntilMs = this.#clock.monotonicMs() + avoidanceMs),
      end: (outcome) => {
        load.activeCount--;
        if (outcome === "failed") load.avoidedUntilMs = this.#clock.monotonicMs() + avoidanceMs;
        if (outcome === "read") load.averageMs += averageWeight * (elapsedMs() - load.averageMs);
      },
    };
  }

  /** Ms without a first byte after which a read of this node counts as late. */
  lateAfterMs(nodeId: number, limits: { readonly min: number; readonly max: number }): number {
    return Math.min(limits.max, Math.max(limits.min, 4 * this.#loadOf(nodeId).averageFirstMs));
  }

  #loadOf(nodeId: number): NodeLoad {
    let load = this.#loads.get(nodeId);
    if (load === undefined) {
      load = {
        activeCount: 0,
        averageMs: expectedMsAtFirst,
        averageFirstMs: expectedMsAtFirst,
        avoidedUntilMs: 0,
      };
      this.#loads.set(nodeId, load);
    }
    return load;
  }
}
