import { isHoldfastError, safeInteger } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { ReplicateChunk, RunDrills, TrimChunk, Welcome } from "@holdfast/proto/master/v1/master";
import { drillOrderFromWire } from "../drills/drill-order.ts";
import type { Drills } from "../drills/drills.ts";
import type { HighestTerm } from "../identity/highest-term.ts";
import type { NodeIdentity } from "../identity/node-identity.ts";
import type { Replicator } from "../replicate/replicator.ts";
import { replicateOrderFromWire } from "../replicate/replicate-order.ts";
import { chunkKeyFromWire } from "../services/chunk-requests-from-wire.ts";
import type { ChunkStore } from "../store/chunk-store.ts";
import type { ReportSender } from "./report.ts";
import { Turnstile } from "../store/turnstile.ts";

/** Trims carried out at once. */
const trimsMax = 4;

/** What obeying works with. */
export interface OrdersOptions {
  readonly store: ChunkStore;
  readonly identity: NodeIdentity;
  readonly term: HighestTerm;
  /** Its name is kept with the identity at a welcome that does not say another one. */
  readonly sender: Pick<ReportSender, "name">;
  /** Kept with the identity at a welcome. */
  readonly masterAddresses: readonly string[];
  readonly replicator: Pick<Replicator, "order" | "cancel">;
  readonly drills: Pick<Drills, "run">;
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
    const { identity, term, sender, masterAddresses, logger } = this.#options;
    const welcomeTerm = safeInteger(welcome.term);
    if (!(await term.observe(welcomeTerm))) {
      logger.warn("chunkserver.stale_leader", { term: welcomeTerm, highestTerm: term.term });
      return false;
    }
    const isFirst = identity.facts.nodeId === 0;
    const { clusterId, nodeId } = welcome;
    const name = welcome.name === "" ? sender.name : welcome.name;
    await identity.join({ clusterId, nodeId, name, masterAddresses });
    if (isFirst) logger.info("chunkserver.joined", { nodeId, clusterId, name });
    return true;
  }

  /** Passes on an order of a current term to fetch a copy to this node. Never rejects. */
  async replicate(order: ReplicateChunk): Promise<void> {
    const { identity, term, replicator, logger } = this.#options;
    const { nodeId } = order;
    try {
      const orderTerm = safeInteger(order.term);
      const isCurrent = orderTerm === term.term || (await term.observe(orderTerm));
      if (nodeId === identity.facts.nodeId && isCurrent) replicator.order(replicateOrderFromWire(order));
      else logger.warn("chunkserver.fetch_refused", { nodeId, term: orderTerm, highestTerm: term.term });
    } catch (error) {
      logger.warn("chunkserver.fetch_refused", { reason: isHoldfastError(error) ? error.message : String(error) });
    }
  }

  /** Runs the drills that a leader of a current term orders for this node, and ends all others. Never rejects. */
  async drills(order: RunDrills): Promise<void> {
    const { identity, term, drills, logger } = this.#options;
    const { nodeId } = order;
    try {
      const orderTerm = safeInteger(order.term);
      const isCurrent = await term.observe(orderTerm);
      if (nodeId !== identity.facts.nodeId || !isCurrent) {
        logger.warn("drill.refused", { nodeId, term: orderTerm, highestTerm: term.term });
        return;
      }
      drills.run(order.drills.map(drillOrderFromWire).filter((drill) => drill !== undefined));
    } catch (error) {
      logger.warn("drill.refused", { reason: isHoldfastError(error) ? error.message : String(error) });
    }
  }

  /** Obeys a trim for this node of a current term; the store tells when it is done. Never rejects. */
  async trim(order: TrimChunk): Promise<void> {
    const { store, identity, term, replicator, logger } = this.#options;
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
      // A copy on its way here would arrive after its removal and stay for ever.
      await replicator.cancel(key);
      await this.#trims.run(() => store.trim(key, orderTerm));
    } catch (error) {
      // The leader orders again for as long as the copy is reported.
      logger.warn("chunkserver.trim_failed", { reason: isHoldfastError(error) ? error.message : String(error) });
    }
  }
}
