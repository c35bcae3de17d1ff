import { create } from "@bufbuild/protobuf";
import { isHoldfastError } from "@holdfast/base";
import type { Gauge, Logger, Metrics } from "@holdfast/observability";
import { GetStateHashesRequestSchema, QueryService } from "@holdfast/proto/master/v1/master";
import type { RaftNode } from "@holdfast/raft";
import type { Network } from "@holdfast/rpc";
import { RecurringWork, type Clock, type Timers } from "@holdfast/runtime";
import { judge, type Verdict } from "./plan.ts";
import type { StateHashAt, StateHashes } from "../application/state-hashes.ts";

/** Between two comparisons. */
const auditIntervalMs = 5000;
/** A master that does not answer within this time is compared the next time. */
const answerTimeoutMs = 2000;
/** So that a dispute that nobody settles does not fill the log. */
const disputeLoggedMs = 60_000;

/** What the auditor works with. */
export interface StateAuditorOptions {
  readonly hashes: StateHashes;
  readonly raft: Pick<RaftNode, "status" | "addressOf" | "transferLeadership" | "setAside">;
  readonly network: Network;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Compares this master's tables with the other masters', now and then. Raft makes the logs equal; that folding them came to
 * the same is only known by looking. A master that a majority contradicts hands leadership over, ends, and is fed a
 * snapshot of the others' state when it is started again. Where there is no majority, it is told and nothing is done.
 */
export class StateAuditor {
  readonly #options: StateAuditorOptions;
  readonly #comparisons: RecurringWork;
  readonly #agreedIndex: Gauge;
  #disputeLoggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: StateAuditorOptions) {
    this.#options = options;
    this.#comparisons = new RecurringWork(options.timers, auditIntervalMs, () => this.#compare());
    this.#agreedIndex = options.metrics.gauge({
      name: "holdfast_master_agreed_index",
      help: "Newest log index at which a majority of masters, this one included, was seen to have the same tables",
    });
  }

  start(): void {
    this.#comparisons.start();
  }

  /** Settles when nothing goes on any more. */
  stop(): Promise<void> {
    return this.#comparisons.stop();
  }

  async #compare(): Promise<void> {
    const { raft, hashes } = this.#options;
    const { id, voters } = raft.status();
    // A learner is being fed; it is compared when it has a vote.
    if (!voters.includes(id) || voters.length === 1 || hashes.list().length === 0) return;
    const addresses = voters.filter((voter) => voter !== id).map((voter) => raft.addressOf(voter));
    const others = await Promise.all(addresses.map((address) => this.#ask(address)));
    await this.#act(judge(hashes.list(), others, voters.length));
  }

  async #ask(address: string | undefined): Promise<readonly StateHashAt[]> {
    if (address === undefined) return [];
    try {
      const client = this.#options.network.client(QueryService, address);
      const request = create(GetStateHashesRequestSchema);
      const answer = await client.getStateHashes(request, { timeoutMs: answerTimeoutMs });
      // An index that is no number of ours equals none of ours.
      return answer.hashes.map(({ index, stateHash }) => ({ index: Number(index), stateHash }));
    } catch (error) {
      // Away, or older than the question: it is asked again.
      if (isHoldfastError(error)) return [];
      throw error;
    }
  }

  async #act(verdict: Verdict): Promise<void> {
    const { logger, raft, clock } = this.#options;
    const { index } = verdict;
    if (verdict.kind === "equal") {
      this.#agreedIndex.set(index);
      return;
    }
    if (verdict.kind === "disputed") {
      const nowMs = clock.monotonicMs();
      if (nowMs - this.#disputeLoggedAtMs < disputeLoggedMs) return;
      this.#disputeLoggedAtMs = nowMs;
      const message =
        "Another master's tables differ from these, and no majority says which are right. Nothing was changed; when all masters run and a majority agrees, the others set theirs aside.";
      logger.error("master.state_disputed", { index, message });
      return;
    }
    const message = "A majority of masters came to other tables from the same log: this one's are set aside.";
    logger.error("master.state_diverged", { index, message });
    try {
      if (raft.status().role === "leader") await raft.transferLeadership();
    } catch (error) {
      // Then the others elect one.
      if (!isHoldfastError(error)) throw error;
    }
    await raft.setAside(`the tables differ from the other masters' at index ${index}`);
  }
}
