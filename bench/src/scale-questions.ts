import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { createMetrics, silentLogger } from "@holdfast/observability";
import {
  FleetCommandSchema,
  FleetQueryService,
  GetFleetRequestSchema,
  GetHistoryRequestSchema,
  GetWeakestRequestSchema,
  PredictRequestSchema,
  type GetFleetResponse,
} from "@holdfast/proto/fleet/v1/fleet";
import {
  FleetService,
  GetClusterStatusRequestSchema,
  PollDrillsRequestSchema,
  QueryService,
  type GetClusterStatusResponse,
} from "@holdfast/proto/master/v1/master";
import { scaleNodeUuid } from "@holdfast/master/testing/scale";
import { createGrpcNetwork } from "@holdfast/rpc/node";
import { createNodeClock, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";

const timeoutMs = 30_000;
const pollIntervalMs = 50;

/** What administrators' pages and nodes ask a leader, with how long it takes. */
export class ScaleQuestions {
  readonly #address: string;
  readonly #network = createGrpcNetwork({
    ...{ clock: createNodeClock(), timers: createNodeTimers(), random: createNodeRandom() },
    ...{ logger: silentLogger, metrics: createMetrics() },
  });
  #polledMs: number[] = [];
  #isPolling = false;

  constructor(address: string) {
    this.#address = address;
  }

  status(): Promise<GetClusterStatusResponse> {
    const client = this.#network.client(QueryService, this.#address);
    return client.getClusterStatus(create(GetClusterStatusRequestSchema), { timeoutMs });
  }

  fleet(): Promise<GetFleetResponse> {
    const client = this.#network.client(FleetQueryService, this.#address);
    return client.getFleet(create(GetFleetRequestSchema), { timeoutMs });
  }

  /** Each of an administrator's questions, by what it is called. */
  all(): Readonly<Record<string, () => Promise<unknown>>> {
    const client = this.#network.client(FleetQueryService, this.#address);
    const predict = (question: Parameters<typeof create<typeof PredictRequestSchema>>[1]) => () =>
      client.predict(create(PredictRequestSchema, question), { timeoutMs });
    const drain = create(FleetCommandSchema, { command: { case: "drainNode", value: { nodeId: 7, reason: "" } } });
    return {
      "cluster status": () => this.status(),
      "fleet (tasks, balance, drills)": () => this.fleet(),
      "weakest node, pair and zone": () => client.getWeakest(create(GetWeakestRequestSchema), { timeoutMs }),
      "what if a node died": predict({ question: { case: "lostNodes", value: { nodeIds: [5] } } }),
      "what if a pair died": predict({ question: { case: "lostNodes", value: { nodeIds: [5, 6] } } }),
      "what if a zone died": predict({ question: { case: "lostZone", value: "zone-3" } }),
      "what a drain would mean": predict({ question: { case: "command", value: drain } }),
      "history of half an hour": () => client.getHistory(create(GetHistoryRequestSchema), { timeoutMs }),
    };
  }

  /**
   * Begins to ask twenty times a second what a node asks that can't hear orders: a small call to the service of the
   * heartbeats, which is answered when the leader gets to it, as a heartbeat is read when it gets to it.
   */
  poll(): void {
    this.#isPolling = true;
    void this.#keepPolling();
  }

  /** Round trips in ms since the last call. */
  polledMs(): readonly number[] {
    const polledMs = this.#polledMs;
    this.#polledMs = [];
    return polledMs;
  }

  async end(): Promise<void> {
    this.#isPolling = false;
    await this.#network.close();
  }

  async #keepPolling(): Promise<void> {
    const client = this.#network.client(FleetService, this.#address);
    const request = create(PollDrillsRequestSchema, { nodeUuid: scaleNodeUuid(1) });
    while (this.#isPolling) {
      const fromMs = performance.now();
      const isAnswered = await client.pollDrills(request, { timeoutMs }).then(
        () => true,
        () => false,
      );
      if (isAnswered) this.#polledMs.push(performance.now() - fromMs);
      await delay(pollIntervalMs);
    }
  }
}
