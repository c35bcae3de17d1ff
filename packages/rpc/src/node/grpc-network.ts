import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { HoldfastError } from "@holdfast/base";
import type { Logger, Metrics } from "@holdfast/observability";
import type { Clock, Random, Timers } from "@holdfast/runtime";
import { bindClient } from "../binding/client-binding.ts";
import type { Network } from "../network.ts";
import { GrpcConnection } from "./grpc-client.ts";
import { listenGrpc } from "./grpc-server.ts";

/** Ports and limits of the real network. */
export interface GrpcNetworkOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Calls a listener works on at a time; more are refused with `tooBusy`. Default 4096. */
  readonly callsMax?: number;
}

/** The cluster's network over gRPC (HTTP/2, plain). One connection per address. */
export function createGrpcNetwork(options: GrpcNetworkOptions): Network {
  const connections = new Map<string, GrpcConnection>();
  let isClosed = false;
  // What goes wrong comes back as an error of the call; grpc-js would also write to the console.
  setLogVerbosity(logVerbosity.NONE);
  const connectionTo = (address: string): GrpcConnection => {
    if (isClosed) throw new HoldfastError("unavailable", "this process is stopping and makes no new calls");
    let connection = connections.get(address);
    if (connection === undefined) {
      connection = new GrpcConnection(address, options.clock);
      connections.set(address, connection);
    }
    return connection;
  };
  return {
    client: (service, address) => bindClient(service, (call) => connectionTo(address).open(call), options.random),
    listen: (address, services) => {
      return listenGrpc({ address, services, ports: options, callsMax: options.callsMax ?? 4096 });
    },
    close: async () => {
      isClosed = true;
      for (const connection of connections.values()) connection.close();
      connections.clear();
    },
  };
}
