import type { DescService } from "@bufbuild/protobuf";
import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { assert, HoldfastError } from "@holdfast/base";
import type { Logger, Metrics } from "@holdfast/observability";
import type { Clock, Random, Timers } from "@holdfast/runtime";
import { bindClient } from "../binding/client-binding.ts";
import type { Network } from "../network.ts";
import type { ClientByteCall, OpenCall } from "../binding/byte-call.ts";
import { GrpcConnection } from "./grpc-client.ts";
import { listenGrpc } from "./grpc-server.ts";
import { LeanConnection, type SecuredPeer } from "./lean/lean-client.ts";
import { listenLean } from "./lean/lean-server.ts";
import { roleServing } from "../permissions.ts";
import { isLoopback, type NetworkSecurity } from "./network-security.ts";

/** Ports and limits of the real network. */
export interface GrpcNetworkOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Calls a listener works on at a time; more are refused with `tooBusy`. Default 4096. */
  readonly callsMax?: number;
  /** What our lean gRPC carries instead of grpc-js: all services (default), those that move bytes, or none. Both speak to both. */
  readonly leanFor?: "bulk" | "everything" | "nothing";
  /** Mutual TLS; absent = in the clear, which is for loopback. */
  readonly security?: NetworkSecurity;
  /** In the clear beyond loopback as well: an administrator says that nobody else is on this network. */
  readonly isTrustedNetwork?: boolean;
}

/** Services whose calls move bytes rather than ask questions. */
const bulkServices: ReadonlySet<string> = new Set(["holdfast.chunk.v1.ChunkDataService"]);

/** A connection of either kind. */
interface Connection {
  open(call: OpenCall): ClientByteCall;
  close(): void;
}

/**
 * The cluster's network over gRPC (HTTP/2): over mutual TLS, or in the clear on loopback. Beyond loopback it refuses to be
 * in the clear (`precondition`), unless the network is said to be trusted. One connection per address and kind of traffic, so that questions do
 * not wait behind bytes. Our lean transport carries all of it: it costs a unary call half of what grpc-js does (a
 * 1 KiB file through the whole cluster took 6.2 ms of CPU with grpc-js, 3.9 ms with it). A listener that offers a lean
 * service is a lean server for all of its services, on one port; other listeners are grpc-js servers.
 */
export function createGrpcNetwork(options: GrpcNetworkOptions): Network {
  const connections = new Map<string, Connection>();
  const leanFor = options.leanFor ?? "everything";
  const isLean = (service: DescService): boolean =>
    leanFor === "everything" || (leanFor === "bulk" && bulkServices.has(service.typeName));
  let isClosed = false;
  const { security } = options;
  const securedPeer = ({ typeName }: DescService): SecuredPeer | undefined =>
    security === undefined ? undefined : { security, role: roleServing(typeName) };
  // What goes wrong comes back as an error of the call; grpc-js would also write to the console.
  setLogVerbosity(logVerbosity.NONE);
  assert(security === undefined || leanFor === "everything", "only the lean transport speaks TLS");
  const requireSafe = (address: string, deed: string): void => {
    if (security !== undefined || options.isTrustedNetwork === true || isLoopback(address)) return;
    throw new HoldfastError(
      "precondition",
      `${deed} ${address} in the clear is refused: that is not loopback, and there is no certificate. Nothing was changed. ` +
        "Give this process the cluster's authority, or say --trusted-network if nobody else is on this network.",
    );
  };
  const connectionTo = (address: string, service: DescService): Connection => {
    if (isClosed) throw new HoldfastError("unavailable", "this process is stopping and makes no new calls");
    requireSafe(address, "Talking to");
    const key = `${bulkServices.has(service.typeName) ? "bulk" : "control"} ${address}`;
    const known = connections.get(key);
    if (known !== undefined) return known;
    const made = isLean(service)
      ? new LeanConnection(address, options.timers, securedPeer(service))
      : new GrpcConnection(address, options.clock);
    connections.set(key, made);
    return made;
  };
  return {
    client: (service, address) =>
      bindClient(service, (call) => connectionTo(address, service).open(call), options.random),
    listen: async (address, services) => {
      requireSafe(address, "Listening on");
      const isForLean = security !== undefined || services.some(({ service }) => isLean(service));
      const listen = isForLean ? listenLean : listenGrpc;
      const secured = security === undefined ? {} : { security };
      return listen({ address, services, ports: options, callsMax: options.callsMax ?? 4096, ...secured });
    },
    close: async () => {
      isClosed = true;
      for (const connection of connections.values()) connection.close();
      connections.clear();
    },
  };
}
