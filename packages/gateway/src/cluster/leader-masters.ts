import { create } from "@bufbuild/protobuf";
import { must } from "@holdfast/base";
import { CommandSchema, CommandService, ExecuteRequestSchema, QueryService, WatchRequestSchema, WatchService } from "@holdfast/proto/master/v1/master";
import { createLeaderCaller, type CallOptions, type LeaderCall, type LeaderCaller, type LeaderCallerOptions, type LeaderCallOptions, type ServiceClient } from "@holdfast/rpc";
import type { Masters } from "../drive/ports.ts";

type Queries = ServiceClient<typeof QueryService>;

/** The masters over the cluster's network: commands and reads go to the leader, watches to any master that answers. */
export function createLeaderMasters(options: LeaderCallerOptions): Masters {
  const leader = createLeaderCaller(options);
  let watchedMaster = 0;
  return {
    queries: leaderQueries(leader),
    execute: async (command, { requestId, actor, signal }) => {
      const request = create(ExecuteRequestSchema, { requestId, actor, command: create(CommandSchema, { command }) });
      return leader.call(CommandService, (client, call) => client.execute(request, call), { requestId, signal });
    },
    async *watch(fromIndex, signal) {
      // The next master each time: the last one may be the reason why this is a new subscription.
      const address = must(options.addresses[watchedMaster++ % options.addresses.length], "there is a master to watch");
      yield* options.network.client(WatchService, address).watch(create(WatchRequestSchema, { fromIndex }), { signal });
    },
  };
}

/** Every query of the service, sent to the leader and safe to repeat. */
function leaderQueries(leader: LeaderCaller): Queries {
  const ask = <T>(query: LeaderCall<typeof QueryService, T>, options?: CallOptions): Promise<T> => leader.call(QueryService, query, limitsOf(options));
  return {
    getEntry: (request, options) => ask((client, call) => client.getEntry(request, call), options),
    resolvePath: (request, options) => ask((client, call) => client.resolvePath(request, call), options),
    listFolder: (request, options) => ask((client, call) => client.listFolder(request, call), options),
    listTrash: (request, options) => ask((client, call) => client.listTrash(request, call), options),
    getFileLayout: (request, options) => ask((client, call) => client.getFileLayout(request, call), options),
    getUpload: (request, options) => ask((client, call) => client.getUpload(request, call), options),
    getUser: (request, options) => ask((client, call) => client.getUser(request, call), options),
    listUsers: (request, options) => ask((client, call) => client.listUsers(request, call), options),
    getSession: (request, options) => ask((client, call) => client.getSession(request, call), options),
    listSessions: (request, options) => ask((client, call) => client.listSessions(request, call), options),
    getClusterStatus: (request, options) => ask((client, call) => client.getClusterStatus(request, call), options),
    listEvents: (request, options) => ask((client, call) => client.listEvents(request, call), options),
    getMasterStatus: (request, options) => ask((client, call) => client.getMasterStatus(request, call), options),
  };
}

function limitsOf(options: CallOptions | undefined): LeaderCallOptions {
  return {
    ...(options?.signal === undefined ? {} : { signal: options.signal }),
    ...(options?.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    ...(options?.requestId === undefined ? {} : { requestId: options.requestId }),
  };
}
