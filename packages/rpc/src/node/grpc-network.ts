import type { DescService } from "@bufbuild/protobuf";
import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { HoldfastError } from "@holdfast/base";
import type { Logger, Metrics } from "@holdfast/observability";
import type { Clock, Random, Timers } from "@holdfast/runtime";
import { bindClient } from "../binding/client-binding.ts";
import type { Network } from "../network.ts";
import type { ClientByteCall, OpenCall } from "../binding/byte-call.ts";
import { GrpcConnection } from "./grpc-client.ts";
import { listenGrpc } from "./grpc-server.ts";
import { LeanConnection } from "./lean/lean-client.ts";
import { listenLean } from "./lean/lean-server.ts";

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
}

/** Services whose calls move bytes rather than ask questions. */
const bulkServices: ReadonlySet<string> = new Set(["holdfast.chunk.v1.ChunkDataService"]);

/** A connection of either kind. */
interface Connection {
  open(call: OpenCall): ClientByteCall;
  close(): void;
}

/**
 * The cluster's network over gRPC (HTTP/2, plain). One connection per address and kind of traffic, so that questions do
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
  // What goes wrong comes back as an error of the call; grpc-js would also write to the console.
  setLogVerbosity(logVerbosity.NONE);
  const connectionTo = (address: string, service: DescService): Connection => {
    if (isClosed) throw new HoldfastError("unavailable", "this process is stopping and makes no new calls");
    const key = `${bulkServices.has(service.typeName) ? "bulk" : "control"} ${address}`;
    const known = connections.get(key);
    if (known !== undefined) return known;
    const made = isLean(service)
      ? new LeanConnection(address, options.timers)
      : new GrpcConnection(address, options.clock);
    connections.set(key, made);
    return made;
  };
  return {
    client: (service, address) =>
      bindClient(service, (call) => connectionTo(address, service).open(call), options.random),
    listen: (address, services) => {
      const listen = services.some(({ service }) => isLean(service)) ? listenLean : listenGrpc;
      return listen({ address, services, ports: options, callsMax: options.callsMax ?? 4096 });
    },
    close: async () => {
      isClosed = true;
      for (const connection of connections.values()) connection.close();
      connections.clear();
    },
  };
}
