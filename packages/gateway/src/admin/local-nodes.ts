import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import {
  ListNodesRequestSchema,
  LocalNodesService,
  StartNodeRequestSchema,
  StopNodeRequestSchema,
} from "@holdfast/proto/supervisor/v1/supervisor";
import type { Network, ServiceClient } from "@holdfast/rpc";
import type { Caller, RequestScope } from "../drive/ports.ts";
import { requireAdmin } from "./require-admin.ts";

/** A chunkserver that runs, or ran, on the machine of `npm start`. */
export interface LocalNode {
  readonly name: string;
  /** "running", "stopped", "restarting". */
  readonly state: string;
  /** Who it is in the cluster, where it may have another name; 0 before it joined. */
  readonly nodeId: number;
}

/** What is to be started. */
export interface LocalNodeWish {
  /** A stopped one's; empty = a new one. */
  readonly name: string;
  /** Of a new one: the secret of the join token that it joins with; empty = it joins with what lets this machine's in. */
  readonly joinSecret: string;
}

/** Starting and stopping chunkservers on the machine of `npm start`. All of it is `denied` to others than administrators. */
export interface LocalNodes {
  /** Undefined when there is no such machine. Errors: denied, unavailable. */
  list(caller: Caller, scope: RequestScope): Promise<readonly LocalNode[] | undefined>;
  /** A stopped one by name, or a new one; answers its name. Errors: denied, precondition, notFound, tooBusy. */
  start(caller: Caller, wish: LocalNodeWish, scope: RequestScope): Promise<string>;
  /** It stays stopped. Errors: denied, precondition, notFound. */
  stop(caller: Caller, name: string, scope: RequestScope): Promise<void>;
}

/** The supervisor beside this gateway. */
export interface Supervisor {
  /** host:port on loopback. */
  readonly address: string;
  /** The secret of its run directory; read again for every call, as it is new after each start. */
  readonly readSecret: () => Promise<string>;
}

/** What local nodes are reached with. */
export interface LocalNodesParts {
  readonly network: Pick<Network, "client">;
  readonly supervisor: Supervisor;
}

const timeoutMs = 20_000;

/** Local nodes through the supervisor's service; without one, refusals in words. */
export function createLocalNodes(parts: LocalNodesParts | undefined): LocalNodes {
  const open = async (): Promise<{ client: ServiceClient<typeof LocalNodesService>; secret: string }> => {
    if (parts === undefined) throw noLocalNodes();
    const { network, supervisor } = parts;
    return { client: network.client(LocalNodesService, supervisor.address), secret: await supervisor.readSecret() };
  };
  const optionsOf = ({ requestId, signal }: RequestScope) => ({ requestId, signal, timeoutMs });
  return {
    async list(caller, scope) {
      requireAdmin(caller);
      if (parts === undefined) return undefined;
      const { client, secret } = await open();
      const { nodes } = await client.listNodes(create(ListNodesRequestSchema, { secret }), optionsOf(scope));
      return nodes.map(({ name, state, nodeId }) => ({ name, state, nodeId }));
    },
    async start(caller, wish, scope) {
      requireAdmin(caller);
      const { client, secret } = await open();
      return (await client.startNode(create(StartNodeRequestSchema, { secret, ...wish }), optionsOf(scope))).name;
    },
    async stop(caller, name, scope) {
      requireAdmin(caller);
      const { client, secret } = await open();
      await client.stopNode(create(StopNodeRequestSchema, { secret, name }), optionsOf(scope));
    },
  };
}

/** The refusal where there is no machine of `npm start`. */
export function noLocalNodes(): HoldfastError {
  return new HoldfastError(
    "precondition",
    "This cluster was not started by npm start, so nodes cannot be started or stopped from here. Nothing was changed; add a node with a join token instead.",
  );
}
