import { silentLogger, type Logger, type Metrics } from "@holdfast/observability";
import type { Clock, Random, Timers } from "@holdfast/runtime";
import { createLocalNodes } from "../admin/local-nodes.ts";
import { createMemoryPasswordHasher } from "../auth/memory-password-hasher.ts";
import { assembleGateway, type Gateway } from "../build-gateway.ts";
import { defaultGatewayConfig, type GatewayConfig } from "../gateway-config.ts";
import { MemoryFileBytes } from "./memory-file-bytes.ts";
import { MemoryMasters } from "./memory-masters.ts";

/** Ports that a memory gateway runs on. */
export interface MemoryGatewayPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly logger?: Logger;
}

/** A gateway over memory masters and memory chunks, with what a test looks into. */
export interface MemoryGateway {
  readonly gateway: Gateway;
  readonly masters: MemoryMasters;
  readonly bytes: MemoryFileBytes;
  /** Set-up tokens that were handed out, newest last; emptied by a withdrawal. */
  readonly setupTokens: string[];
}

/** Puts one together. `config` overrides the defaults. */
export function createMemoryGateway(ports: MemoryGatewayPorts, config: Partial<GatewayConfig> = {}): MemoryGateway {
  const masters = new MemoryMasters(ports.clock);
  const bytes = new MemoryFileBytes();
  const setupTokens: string[] = [];
  const setupLink = {
    publish: async (token: string) => void setupTokens.push(token),
    withdraw: async () => void setupTokens.splice(0),
  };
  const parts = {
    localNodes: createLocalNodes(undefined),
    masters,
    bytes,
    setupLink,
    passwordHasher: createMemoryPasswordHasher(),
    close: async () => undefined,
  };
  const gateway = assembleGateway(
    { ...defaultGatewayConfig, masterAddresses: [], ...config },
    { logger: silentLogger, ...ports, ...parts },
  );
  return { gateway, masters, bytes, setupTokens };
}
