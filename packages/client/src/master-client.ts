import { create } from "@bufbuild/protobuf";
import type { DescMethodUnary, DescService, Message } from "@bufbuild/protobuf";
import { FleetQueryService } from "@holdfast/proto/fleet/v1/fleet";
import {
  CommandService,
  ExecuteRequestSchema,
  QueryService,
  WatchRequestSchema,
  WatchService,
} from "@holdfast/proto/master/v1/master";
import type { Command, ExecuteResponse, WatchResponse } from "@holdfast/proto/master/v1/master";
import { createLeaderCaller } from "@holdfast/rpc";
import type { CallOptions, LeaderCaller, LeaderCallerOptions, Network, ServiceClient } from "@holdfast/rpc";
import type { RequestScope } from "./request-scope.ts";

/** A command as masters take it. */
export type CommandCase = Exclude<Command["command"], { case: undefined }>;

/** How a command is sent. */
export interface CommandOptions extends RequestScope {
  /** "user:7", "gateway:gateway-1", "setup". */
  readonly actor: string;
}

/**
 * The masters as one: requests go to whichever leads and are repeated with the same request id while the leader changes
 * or cannot be reached (masters answer a repeated id with the first outcome), until the deadline.
 */
export interface MasterClient {
  /** Errors: those of the command, `cancelled`, and a retryable kind once the deadline passed. */
  execute(command: CommandCase, options: CommandOptions): Promise<ExecuteResponse>;
  /** Linearizable reads at the leader. */
  readonly queries: ServiceClient<typeof QueryService>;
  /** What administrators ask about the fleet, at the leader. */
  readonly fleet: ServiceClient<typeof FleetQueryService>;
  /** Changes after an index (exclusive). Throws when its connection breaks; the next call asks another master. */
  watch(fromIndex: bigint, signal: AbortSignal): AsyncIterable<WatchResponse>;
}

/** What a master client works with. */
export interface MasterClientOptions extends LeaderCallerOptions {
  /** Ms until a request with all its tries is given up. Default 15 s. */
  readonly timeoutMs?: number;
}

/** Makes a master client. */
export function createMasterClient(options: MasterClientOptions): MasterClient {
  const caller = createLeaderCaller(options);
  const limits = { timeoutMs: options.timeoutMs ?? 15_000 };
  return {
    execute: ({ ...command }, { requestId, actor, signal }) => {
      const request = create(ExecuteRequestSchema, { requestId, actor, command: { command } });
      return caller.call(CommandService, (client, call) => client.execute(request, call), {
        ...limits,
        requestId,
        signal,
      });
    },
    queries: leaderQueries(QueryService, caller, limits.timeoutMs),
    fleet: leaderQueries(FleetQueryService, caller, limits.timeoutMs),
    watch: (fromIndex, signal) => watchFrom({ caller, network: options.network, fromIndex, signal }),
  };
}

type UnaryCall = (request: Message, options?: CallOptions) => Promise<Message>;

function leaderQueries<S extends DescService>(service: S, caller: LeaderCaller, timeoutMs: number): ServiceClient<S> {
  const methods: Record<string, UnaryCall> = {};
  for (const { localName } of service.methods as readonly DescMethodUnary[]) {
    methods[localName] = (request, options = {}) =>
      caller.call(
        service,
        (client, call) =>
          (client as unknown as Record<string, UnaryCall>)[localName]?.(request, call) ??
          Promise.reject(new TypeError(localName)),
        { timeoutMs: options.timeoutMs ?? timeoutMs, ...pick(options) },
      );
  }
  // Every method of the services asked here is unary and has its entry; the types agree by construction.
  return methods as unknown as ServiceClient<S>;
}

function pick({ requestId, signal }: CallOptions): { requestId?: string; signal?: AbortSignal } {
  return { ...(requestId === undefined ? {} : { requestId }), ...(signal === undefined ? {} : { signal }) };
}

interface WatchParts {
  readonly caller: LeaderCaller;
  readonly network: Network;
  readonly fromIndex: bigint;
  readonly signal: AbortSignal;
}

async function* watchFrom({ caller, network, fromIndex, signal }: WatchParts): AsyncGenerator<WatchResponse> {
  const address = caller.leaderAddress();
  try {
    yield* network.client(WatchService, address).watch(create(WatchRequestSchema, { fromIndex }), { signal });
  } catch (error) {
    if (!signal.aborted && caller.leaderAddress() === address) caller.learn(undefined);
    throw error;
  }
}
