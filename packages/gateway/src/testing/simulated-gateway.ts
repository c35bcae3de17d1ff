import { createMetrics } from "@holdfast/observability";
import { createSimWorld, type SimWorld } from "@holdfast/runtime/sim";
import type { RequestScope } from "../drive/ports.ts";
import type { GatewayConfig } from "../gateway-config.ts";
import { createMemoryGateway, type MemoryGateway } from "./memory-gateway.ts";

/** The account simulated tests work with. */
export const ada = { email: "ada@example.org", password: "correct horse" };

/** A memory gateway on virtual time. */
export interface SimulatedGateway extends MemoryGateway {
  readonly world: SimWorld;
  /** A scope with a fresh request id; aborted by the given signal. */
  scope(signal?: AbortSignal): RequestScope;
  /** Waits for a promise in virtual time. */
  settle<T>(promise: Promise<T>): Promise<T>;
}

/** Starts one; `ada` is its default user unless the config says otherwise. */
export function startSimulatedGateway(config: Partial<GatewayConfig> = {}): SimulatedGateway {
  const world = createSimWorld(7);
  const { clock, timers, random } = world.machine("gateway").startProcess();
  const firstAccounts = { defaultUser: ada, imported: [] };
  const memory = createMemoryGateway({ clock, timers, random, metrics: createMetrics() }, { firstAccounts, ...config });
  let requestCount = 0;
  return {
    ...memory,
    world,
    scope: (signal = new AbortController().signal) => ({
      requestId: (++requestCount).toString(16).padStart(32, "0"),
      signal,
    }),
    settle: (promise) => world.settle(promise, 600_000),
  };
}
