import { create } from "@bufbuild/protobuf";
import { AsyncQueue } from "@holdfast/base";
import {
  CommandService,
  ExecuteResponseSchema,
  FleetService,
  HeartbeatResponseSchema,
  PollDrillsResponseSchema,
  TrimChunkSchema,
  WelcomeSchema,
} from "@holdfast/proto/master/v1/master";
import type {
  ExecuteRequest,
  ExecuteResponse,
  HeartbeatRequest,
  HeartbeatResponse,
  ReportBadReplica,
} from "@holdfast/proto/master/v1/master";
import { serve } from "@holdfast/rpc";
import type { Listener, Network } from "@holdfast/rpc";

/** What this leader tells every node that reports. */
export interface FakeLeaderOptions {
  readonly clusterId: string;
  readonly term: number;
  /** When set: it does not lead, and this is who does ("" = it does not know). */
  readonly redirectTo?: string;
  /** When set: it refuses with this reason. */
  readonly refuseWith?: string;
}

/** The masters' side of the heartbeat, for tests: numbers nodes as they come and remembers what they reported. */
export class FakeLeader {
  readonly reports: HeartbeatRequest[] = [];
  readonly badReplicas: ReportBadReplica[] = [];
  /** Drills that are not over, as a poll is answered. */
  runningDrillIds: readonly bigint[] = [];
  options: FakeLeaderOptions;
  readonly #nodeIds = new Map<string, number>();
  readonly #orders = new Map<number, AsyncQueue<HeartbeatResponse>>();

  constructor(options: Partial<FakeLeaderOptions> = {}) {
    this.options = { clusterId: "c1", term: 1, ...options };
  }

  listen(network: Network, address: string): Promise<Listener> {
    const execute = async ({ command }: ExecuteRequest): Promise<ExecuteResponse> => {
      if (command?.command.case === "reportBadReplica") this.badReplicas.push(command.command.value);
      return create(ExecuteResponseSchema, { index: 1n });
    };
    return network.listen(address, [
      serve(FleetService, {
        heartbeat: (requests) => this.#heartbeat(requests),
        pollDrills: async () => create(PollDrillsResponseSchema, { drillIds: [...this.runningDrillIds] }),
      }),
      serve(CommandService, { execute }),
    ]);
  }

  /** Reports of a node, by its name. */
  reportsOf(name: string): readonly HeartbeatRequest[] {
    return this.reports.filter((report) => report.name === name);
  }

  /** Id of a node that joined. */
  nodeIdOf(nodeUuid: string): number | undefined {
    return this.#nodeIds.get(nodeUuid);
  }

  /** Sends an order to a node with an open stream. */
  order(nodeId: number, order: HeartbeatResponse["order"]): void {
    this.#orders.get(nodeId)?.push(create(HeartbeatResponseSchema, { order }));
  }

  /** Orders a trim. */
  trim(nodeId: number, chunkId: number, fields: { readonly term?: number; readonly nodeId?: number } = {}): void {
    const term = BigInt(fields.term ?? this.options.term);
    const value = create(TrimChunkSchema, {
      chunkId: BigInt(chunkId),
      generation: 1,
      nodeId: fields.nodeId ?? nodeId,
      term,
    });
    this.order(nodeId, { case: "trim", value });
  }

  /** Ends every stream, as a leader does that steps down. */
  endStreams(): void {
    for (const orders of this.#orders.values()) orders.end();
    this.#orders.clear();
  }

  async *#heartbeat(requests: AsyncIterable<HeartbeatRequest>): AsyncGenerator<HeartbeatResponse> {
    const { redirectTo, refuseWith } = this.options;
    if (redirectTo !== undefined) {
      yield create(HeartbeatResponseSchema, {
        order: { case: "redirect", value: { leaderAddress: redirectTo } as never },
      });
      return;
    }
    const orders = new AsyncQueue<HeartbeatResponse>();
    this.#receive(requests, orders, refuseWith).then(
      () => orders.end(),
      () => orders.end(),
    );
    yield* orders;
  }

  async #receive(
    requests: AsyncIterable<HeartbeatRequest>,
    orders: AsyncQueue<HeartbeatResponse>,
    refuseWith: string | undefined,
  ): Promise<void> {
    let isFirst = true;
    for await (const report of requests) {
      this.reports.push(report);
      if (!isFirst) continue;
      isFirst = false;
      if (refuseWith !== undefined) {
        orders.push(
          create(HeartbeatResponseSchema, {
            order: { case: "refused", value: { reason: refuseWith, errorKind: 18 } as never },
          }),
        );
        continue;
      }
      const nodeId = this.#nodeIds.get(report.nodeUuid) ?? this.#nodeIds.size + 1;
      this.#nodeIds.set(report.nodeUuid, nodeId);
      this.#orders.set(nodeId, orders);
      const { clusterId, term } = this.options;
      const value = create(WelcomeSchema, { nodeId, clusterId, term: BigInt(term) });
      orders.push(create(HeartbeatResponseSchema, { order: { case: "welcome", value } }));
    }
  }
}
