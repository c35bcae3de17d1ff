import type { DescService } from "@bufbuild/protobuf";
import type { ServedService, ServiceClient } from "./service.ts";

/**
 * The cluster's inner network, as a port: gRPC in production (`@holdfast/rpc/node`), the simulated network in the
 * simulator (`@holdfast/rpc/sim`). Handlers and clients are the same for both.
 */
export interface Network {
  /** A client for a service at host:port. Cheap; connections are shared per address, made on first use and remade after a break. */
  client<S extends DescService>(service: S, address: string): ServiceClient<S>;
  /** Serves on host:port (port 0 = any free one). Errors: `precondition` when the port is taken. */
  listen(address: string, services: readonly ServedService[]): Promise<Listener>;
  /** Closes all connections this network made. */
  close(): Promise<void>;
}

/** A server that accepts calls. */
export interface Listener {
  /** host:port it really listens on. */
  readonly address: string;
  /** Stops accepting, ends open calls after `graceMs` with `unavailable`. */
  close(graceMs?: number): Promise<void>;
}
