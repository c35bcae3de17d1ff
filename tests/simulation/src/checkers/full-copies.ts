import type { Caller } from "@holdfast/gateway";
import type { GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";
import type { SimWorld } from "@holdfast/runtime/sim";
import type { SimulatedCluster } from "../simulated-cluster.ts";

const askIntervalMs = 500;

/**
 * Waits until the leader counts no chunk with too few copies, as an administrator would. Gives what is short when the
 * time is over, in words, or undefined.
 */
export async function awaitFullCopies(
  world: SimWorld,
  cluster: SimulatedCluster,
  { caller, limitMs }: { readonly caller: Caller; readonly limitMs: number },
): Promise<string | undefined> {
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
  const isFull = await world.runUntil(() => latest !== undefined && shortageOf(latest) === undefined, limitMs);
  process.crash();
  if (isFull) return undefined;
  return latest === undefined ? "no leader told" : shortageOf(latest);
}

function shortageOf({ chunks, repair }: GetClusterStatusResponse): string | undefined {
  if (chunks === undefined) return "no answer about chunks";
  const { under, missing, total } = chunks;
  if (under === 0n && missing === 0n) return undefined;
  const stop = repair?.stoppedReason ?? "";
  const stopped = stop === "" ? "" : `; stopped: ${stop}`;
  return `${under} short and ${missing} missing of ${total}; ${repair?.activeChunks ?? 0n} being copied${stopped}`;
}
