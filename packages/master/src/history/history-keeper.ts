import { create } from "@bufbuild/protobuf";
import { isHoldfastError } from "@holdfast/base";
import {
  FleetQueryService,
  GetHistoryRequestSchema,
  type GetHistoryResponse,
  type HistorySample,
} from "@holdfast/proto/fleet/v1/fleet";
import type { Network } from "@holdfast/rpc";
import { RecurringWork, type Timers } from "@holdfast/runtime";
import type { Leadership } from "../services/fleet/leadership.ts";

/** Between two samples. */
export const historyIntervalMs = 5000;
/** Samples that are kept: half an hour. */
export const historySamplesMax = 360;
/** Samples of single nodes that are kept, newest first: half an hour of 56 nodes, 100 s of a thousand. */
export const nodeSamplesMax = 20_000;
/** A leader that does not answer within this time is asked again with the next sample. */
const fetchTimeoutMs = 2000;

/** What the keeper works with. */
export interface HistoryKeeperOptions {
  readonly timers: Timers;
  readonly network: Network;
  readonly leadership: Leadership;
  /** The cluster at this moment, as the leader sees it. */
  readonly sample: () => Promise<HistorySample>;
}

/**
 * The last half hour, at every master (of single nodes less, when there are many): the leader takes a sample every five seconds, the others fetch what they lack from
 * it. So a new leader goes on with the history of the one before. In memory only; see docs/adr.
 */
export class HistoryKeeper {
  readonly #options: HistoryKeeperOptions;
  #samples: readonly HistorySample[] = [];
  readonly #turns: RecurringWork;

  constructor(options: HistoryKeeperOptions) {
    this.#options = options;
    this.#turns = new RecurringWork(options.timers, historyIntervalMs, () => this.#turn());
  }

  start(): void {
    this.#turns.start();
  }

  /** Settles when nothing goes on any more. */
  stop(): Promise<void> {
    return this.#turns.stop();
  }

  /** Samples after a leader time, oldest first. */
  since(afterMs: number): readonly HistorySample[] {
    return this.#samples.filter((sample) => Number(sample.atMs) > afterMs);
  }

  /** Adds samples that are newer than all that are kept. */
  take(samples: readonly HistorySample[]): void {
    const lastMs = this.#samples.at(-1)?.atMs ?? -1n;
    const newer = samples.filter((sample) => sample.atMs > lastMs);
    if (newer.length > 0) this.#samples = withoutOldNodes([...this.#samples, ...newer].slice(-historySamplesMax));
  }

  async #turn(): Promise<void> {
    const { leadership, sample } = this.#options;
    try {
      this.take(leadership.isReady() ? [await sample()] : await this.#fetch());
    } catch (error) {
      // No leader, or one that does not answer now: its samples come with the next turn.
      if (!isHoldfastError(error)) throw error;
    }
  }

  async #fetch(): Promise<GetHistoryResponse["samples"]> {
    const { leadership, network } = this.#options;
    const address = leadership.leaderAddress();
    if (address === "") return [];
    const request = create(GetHistoryRequestSchema, { afterMs: this.#samples.at(-1)?.atMs ?? 0n });
    const answer = await network.client(FleetQueryService, address).getHistory(request, { timeoutMs: fetchTimeoutMs });
    return answer.samples;
  }
}

/** So that neither memory nor an answer grows with the number of nodes. */
function withoutOldNodes(samples: readonly HistorySample[]): readonly HistorySample[] {
  let left = nodeSamplesMax;
  return samples
    .toReversed()
    .map((sample) => {
      left -= sample.nodes.length;
      return left >= 0 || sample.nodes.length === 0 ? sample : { ...sample, nodes: [] };
    })
    .toReversed();
}
