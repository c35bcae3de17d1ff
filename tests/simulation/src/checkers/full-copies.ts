import type { GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";
import type { SimWorld } from "@holdfast/runtime/sim";
import { type Awaited, awaitStatus } from "../cluster-watcher.ts";
import type { SimulatedCluster } from "../simulated-cluster.ts";

/**
 * Waits until the leader counts no chunk with too few copies. Gives what is short when the time is over, in words, or
 * undefined.
 */
export async function awaitFullCopies(
  world: SimWorld,
  cluster: SimulatedCluster,
  calm: Omit<Awaited, "until">,
): Promise<string | undefined> {
  const until = (status: GetClusterStatusResponse): boolean => shortageOf(status) === undefined;
  const { isReached, latest } = await awaitStatus(world, cluster, { ...calm, until });
  if (isReached) return undefined;
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
