import type { Caller } from "@holdfast/gateway";
import type { GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";
import type { SimWorld } from "@holdfast/runtime/sim";
import type { Gateways } from "../workload/patient-caller.ts";

const askIntervalMs = 250;

/** What is waited for. */
export interface Awaited {
  readonly caller: Caller;
  readonly gateways: Gateways;
  readonly limitMs: number;
  readonly until: (status: GetClusterStatusResponse) => boolean;
}

/** Asks for the status again and again, as an administrator's page does. Gives the last answer when the time is over. */
export async function awaitStatus(
  world: SimWorld,
  { caller, gateways, limitMs, until }: Awaited,
): Promise<{ readonly isReached: boolean; readonly latest: GetClusterStatusResponse | undefined }> {
  const process = world.machine("observer").startProcess();
  let latest: GetClusterStatusResponse | undefined;
  // Looked at once an answer, not once an item: looking is dear.
  let isSatisfied = false;
  const ask = (): void => {
    const again = (): void => void process.timers.after(askIntervalMs, ask);
    const [access] = gateways();
    if (access === undefined) {
      again();
      return;
    }
    const scope = { requestId: "6".repeat(32), signal: new AbortController().signal };
    access.gateway.admin.getStatus(caller, scope).then((status) => {
      latest = status;
      isSatisfied = until(status);
      again();
    }, again);
  };
  ask();
  const isReached = await world.runUntil(() => isSatisfied, limitMs);
  process.crash();
  return { isReached, latest };
}
