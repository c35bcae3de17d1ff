import { create } from "@bufbuild/protobuf";
import { HoldfastError, isHoldfastError } from "@holdfast/base";
import {
  FleetService,
  HeartbeatResponseSchema,
  type HeartbeatRequest,
  PollDrillsResponseSchema,
  type HeartbeatResponse,
  type PollDrillsRequest,
  type PollDrillsResponse,
} from "@holdfast/proto/master/v1/master";
import { serve, type CallContext, type ServedService } from "@holdfast/rpc";
import { OneAtATime } from "../application/one-at-a-time.ts";
import type { AppliedBatch } from "../application/submission.ts";
import type { DomainEvent } from "../domain/events.ts";
import { drillsOf, drillTable } from "../domain/fleet/drills.ts";
import { nodeByUuidTable } from "../domain/fleet/tables.ts";
import { readerOf } from "../domain/tables.ts";
import { HeartbeatSession, type SessionOptions } from "./fleet/heartbeat-session.ts";
import { notLeader } from "./fleet/leadership.ts";

/** The heartbeat streams of one master. */
export interface Fleet {
  /** To be passed to `network.listen`. */
  readonly service: ServedService;
  /** To be called with every applied batch. */
  onApplied(batch: AppliedBatch): void;
  /** Sends a node an order; false when it has no stream here or the stream takes no more for now. */
  order(nodeId: number, order: HeartbeatResponse): boolean;
  /** This master stopped leading: every stream ends with who leads now. */
  endLeadership(): void;
}

/** Serves heartbeats: a follower redirects, the leader holds one session a stream. */
export function createFleet(given: Omit<SessionOptions, "listings">): Fleet {
  const options: SessionOptions = { ...given, listings: new OneAtATime() };
  const sessions = new Sessions();
  const byNode = (nodeId: number): readonly HeartbeatSession[] => sessions.ofNode(nodeId);
  return {
    service: serve(FleetService, {
      heartbeat: (requests: AsyncIterable<HeartbeatRequest>, context: CallContext) =>
        heartbeat({ options, sessions, requests, context }),
      pollDrills: async (request: PollDrillsRequest, { caller }: CallContext) => {
        if (caller !== undefined && caller.id !== request.nodeUuid)
          throw new HoldfastError("denied", "A node asks only for its own drills. Nothing was done.");
        return pollDrills(options, request);
      },
    }),
    onApplied: (batch) => {
      if (sessions.size === 0) return;
      for (const event of batch.events) {
        if (event.kind === "chunkPlaced") {
          const unheard = event.nodeIds.filter((nodeId) => !event.confirmedNodeIds.includes(nodeId));
          for (const session of unheard.flatMap(byNode)) session.onPlaced(event.chunkId);
        }
        if (event.kind === "trimOrdered")
          for (const session of byNode(event.nodeId)) session.onTrimOrdered(event.chunkId, event.generation);
        if (event.kind === "replicaLost" && event.reason === "missing")
          for (const session of byNode(event.nodeId)) session.onMissing(event.chunkIds);
        onFleetFact(event, batch, byNode);
        if (event.kind === "nodeRemoved") for (const session of sessions.all()) session.onNodesRefused(batch.tables);
      }
    },
    order: (nodeId, order) => byNode(nodeId).some((session) => session.order(order)),
    endLeadership: () => {
      for (const session of sessions.all()) session.end("redirect");
    },
  };
}

/** The streams that are open, also by node: thousands of orders a second ask for one of a thousand. */
class Sessions {
  readonly #all = new Set<HeartbeatSession>();
  readonly #byNode = new Map<number, HeartbeatSession[]>();

  get size(): number {
    return this.#all.size;
  }

  all(): Iterable<HeartbeatSession> {
    return this.#all;
  }

  /** Oldest first; two while one takes over from the other. */
  ofNode(nodeId: number): readonly HeartbeatSession[] {
    return this.#byNode.get(nodeId) ?? [];
  }

  add(session: HeartbeatSession): void {
    this.#all.add(session);
  }

  /** The node of a stream was let in. A stream that has ended meanwhile is left out. */
  join(session: HeartbeatSession, nodeId: number): void {
    if (this.#all.has(session)) this.#byNode.set(nodeId, [...this.ofNode(nodeId), session]);
  }

  delete(session: HeartbeatSession): void {
    this.#all.delete(session);
    const { nodeId } = session;
    if (nodeId === undefined) return;
    const left = this.ofNode(nodeId).filter((other) => other !== session);
    if (left.length === 0) this.#byNode.delete(nodeId);
    else this.#byNode.set(nodeId, left);
  }
}

/** Drills that still run on a node that can't hear orders. Errors: `notLeader`, `notFound`. */
function pollDrills({ leadership, store }: SessionOptions, { nodeUuid }: PollDrillsRequest): PollDrillsResponse {
  if (!leadership.isReady()) throw notLeader(leadership);
  const tables = readerOf(store);
  const known = tables.get(nodeByUuidTable, [nodeUuid]);
  if (known === undefined) throw new HoldfastError("notFound", "This cluster does not know the node.");
  const drillIds = drillsOf(tables, known.nodeId).map(({ drillId }) => BigInt(drillId));
  return create(PollDrillsResponseSchema, { drillIds });
}

function onFleetFact(
  event: DomainEvent,
  { tables }: AppliedBatch,
  byNode: (nodeId: number) => readonly HeartbeatSession[],
): void {
  if (event.kind === "nodeRemoved") for (const session of byNode(event.nodeId)) session.onRemoved(tables);
  if (event.kind !== "drillStarted" && event.kind !== "drillEnded") return;
  const nodeId = event.kind === "drillStarted" ? event.nodeId : tables.get(drillTable, [event.drillId])?.nodeId;
  if (nodeId !== undefined) for (const session of byNode(nodeId)) session.onDrillChanged(tables);
}

interface Call {
  readonly options: SessionOptions;
  readonly sessions: Sessions;
  readonly requests: AsyncIterable<HeartbeatRequest>;
  readonly context: CallContext;
}

async function* heartbeat({
  options,
  sessions,
  requests,
  context,
}: Call): AsyncGenerator<HeartbeatResponse, void, undefined> {
  const { leadership, logger } = options;
  if (!leadership.isReady()) {
    const value = { leaderAddress: leadership.leaderAddress() };
    yield create(HeartbeatResponseSchema, { order: { case: "redirect", value } });
    return;
  }
  const session = new HeartbeatSession(options, {
    caller: context.caller,
    onJoined: (joined, nodeId) => sessions.join(joined, nodeId),
  });
  sessions.add(session);
  const onAbort = (): void => session.end("closed");
  context.signal.addEventListener("abort", onAbort);
  session.read(requests).then(
    () => session.end("closed"),
    (error: unknown) => {
      // A broken stream is how nodes leave; anything else is told to the node as the call's error.
      if (isHoldfastError(error, "cancelled", "unavailable")) session.end("closed");
      else session.orders.fail(error);
    },
  );
  try {
    yield* session.orders;
  } finally {
    context.signal.removeEventListener("abort", onAbort);
    sessions.delete(session);
    session.end("closed");
    logger.debug("fleet.stream_ended", { nodeId: session.nodeId });
  }
}
