import { createFileBytes, createMasterClient } from "@holdfast/client";
import type { Logger, Metrics } from "@holdfast/observability";
import type { Network } from "@holdfast/rpc";
import type { Clock, Random, Timers } from "@holdfast/runtime";
import { createLocalNodes, type Supervisor } from "./admin/local-nodes.ts";
import type { SetupLink } from "./auth/first-accounts.ts";
import type { PasswordHasher } from "./auth/password-hasher.ts";
import { assembleGateway, type Gateway } from "./build-gateway.ts";
import type { GatewayConfig } from "./gateway-config.ts";

/** The world a gateway lives in. */
export interface GatewayPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly network: Network;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly passwordHasher: PasswordHasher;
  readonly setupLink: SetupLink;
  /** Of `npm start`; absent when the gateway was started by itself. */
  readonly supervisor?: Supervisor;
  /** How the supervisor is reached: in the clear, because it is on this machine. Default `network`. */
  readonly localNetwork?: Network;
}

/**
 * Builds a gateway and starts it: it follows the masters and makes the first accounts as soon as a leader answers.
 * Protocols (HTTP, Connect) are put on top of what it answers; the simulator calls it directly.
 */
export async function buildGateway(config: GatewayConfig, ports: GatewayPorts): Promise<Gateway> {
  const masters = createMasterClient({ ...ports, addresses: config.masterAddresses });
  const bytes = createFileBytes({ ...ports, masters, owner: config.name });
  const { localNetwork: network = ports.network, supervisor } = ports;
  const localNodes = createLocalNodes(supervisor === undefined ? undefined : { network, supervisor });
  return assembleGateway(config, { ...ports, masters, bytes, localNodes, close: async () => undefined });
}
