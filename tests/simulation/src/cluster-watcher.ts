import type { Caller } from "@holdfast/gateway";
import type { GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";
import type { SimWorld } from "@holdfast/runtime/sim";
import type { SimulatedCluster } from "./simulated-cluster.ts";

const askIntervalMs = 500;

/** What is waited for. */
export interface Awaited {
  readonly caller: Caller;
  readonly limitMs: number;
  readonly until: (status: GetClusterStatusResponse) => boolean;
}

/** Asks for the status again and again, as an administrator's page does. Gives the last answer when the time is over. */
export async function awaitStatus(
  world: SimWorld,
  cluster: SimulatedCluster,
  { caller, limitMs, until }: Awaited,
): Promise<{ readonly isReached: boolean; readonly latest: GetClusterStatusResponse | undefined }> {
  const process = world.machine("observer").startProcess();
  let latest: GetClusterStatusResponse | undefined;
  const ask = (): void => {
    const again = (): void => void process.timers.after(askIntervalMs, ask);
    const gateway = cluster.gateway.running;
    if (gateway === undefined) {
      again();
      return;
    }
    const scope = { requestId: "6".repeat(32), signal: new AbortController().signal };
    gateway.admin.getStatus(caller, scope).then((status) => {
      latest = status;
      again();
    }, again);
  };
  ask();
  const isReached = await world.runUntil(() => latest !== undefined && until(latest), limitMs);
  process.crash();
  return { isReached, latest };
}
