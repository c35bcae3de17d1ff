import { isHoldfastError, safeInteger } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { TrimChunk, Welcome } from "@holdfast/proto/master/v1/master";
import type { HighestTerm } from "../identity/highest-term.ts";
import type { NodeIdentity } from "../identity/node-identity.ts";
import { chunkKeyFromWire } from "../services/chunk-requests-from-wire.ts";
import type { ChunkStore } from "../store/chunk-store.ts";
import { Turnstile } from "../store/turnstile.ts";

/** Trims carried out at once. */
const trimsMax = 4;

/** What obeying works with. */
export interface OrdersOptions {
  readonly store: ChunkStore;
  readonly identity: NodeIdentity;
  readonly term: HighestTerm;
  readonly logger: Logger;
}

/** Carries out what a leader orders, after checking that it may. */
export class Orders {
  readonly #options: OrdersOptions;
  readonly #trims = new Turnstile(trimsMax);

  constructor(options: OrdersOptions) {
    this.#options = options;
  }

  /** The identity is durable when this settles. False: a leader of a term that is over. Errors: wrongCluster, those of the disk. */
  async welcome(welcome: Welcome): Promise<boolean> {
    const { identity, term, logger } = this.#options;
    const welcomeTerm = safeInteger(welcome.term);
    if (!(await term.observe(welcomeTerm))) {
      logger.warn("chunkserver.stale_leader", { term: welcomeTerm, highestTerm: term.term });
      return false;
    }
    const isFirst = identity.facts.nodeId === 0;
    await identity.join({ clusterId: welcome.clusterId, nodeId: welcome.nodeId });
    if (isFirst) logger.info("chunkserver.joined", { nodeId: welcome.nodeId, clusterId: welcome.clusterId });
    return true;
  }

  /** Obeys a trim for this node of a current term; the store tells when it is done. Never rejects. */
  async trim(order: TrimChunk): Promise<void> {
    const { store, identity, term, logger } = this.#options;
    try {
      const orderTerm = safeInteger(order.term);
      const key = chunkKeyFromWire(order);
      if (order.nodeId !== identity.facts.nodeId || !(await term.observe(orderTerm))) {
        logger.warn("chunkserver.trim_refused", {
          ...key,
          nodeId: order.nodeId,
          term: orderTerm,
          highestTerm: term.term,
        });
        return;
      }
      await this.#trims.run(() => store.trim(key, orderTerm));
    } catch (error) {
      // The leader orders again for as long as the copy is reported.
      logger.warn("chunkserver.trim_failed", { reason: isHoldfastError(error) ? error.message : String(error) });
    }
  }
}
