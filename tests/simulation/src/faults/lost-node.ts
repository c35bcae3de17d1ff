import type { SimWorld } from "@holdfast/runtime/sim";
import type { CopyChecker } from "../checkers/copy-checker.ts";
import { awaitFullCopies } from "../checkers/full-copies.ts";
import { type Awaited, awaitStatus } from "../run/cluster-watcher.ts";
import { copiesVanishedWindowMs } from "../world/process-configs.ts";
import type { SimulatedCluster } from "../world/simulated-cluster.ts";

/** Of `holdfast.model.v1.Liveness`. */
const livenessLive = 1;
const livenessDead = 3;
const leaderAwayMs = 1_500;

/** What losing a node works with. */
export interface LostNodeOptions extends Omit<Awaited, "until"> {
  readonly checker: CopyChecker;
  readonly report: (violation: string) => void;
}

/**
 * A node dies and stays away; sometimes the leader dies in the middle of the copying, too. Every chunk must have its
 * full number of copies on the others. `bringBack` brings the node back: what it holds is then too much and must go.
 */
export async function loseNode(
  world: SimWorld,
  cluster: SimulatedCluster,
  options: LostNodeOptions,
): Promise<{ readonly bringBack: () => Promise<void> }> {
  const { report } = options;
  const random = world.random.fork("lost node");
  const running = cluster.nodes.filter((node) => node.running !== undefined);
  const host = running[random.integer(running.length)];
  if (host === undefined) throw new RangeError("a cluster has nodes");
  const nodeId = options.checker.facts.nodeOn(host.name)?.nodeId;
  // A node whose disk was replaced is gone for ever, too; both together would be a disaster of another kind.
  const isDecided = await awaitStatus(world, {
    ...options,
    until: ({ nodes }) => nodes.every(({ liveness }) => liveness === livenessLive || liveness === livenessDead),
  });
  if (!isDecided.isReached) report("some node was neither live nor dead long after everything was healed");
  await world.runFor(copiesVanishedWindowMs);
  host.kill();
  const isDead = await awaitStatus(world, {
    ...options,
    until: ({ nodes }) => nodes.some((node) => node.nodeId === nodeId && node.liveness === livenessDead),
  });
  if (!isDead.isReached) report(`${host.name} was killed and nobody noticed`);
  if (random.chance(0.5)) killLeader(world, cluster, random.between(0, 3_000));
  const shortage = await awaitFullCopies(world, { ...options, without: host.name });
  if (shortage !== undefined) report(`without ${host.name} not every chunk got its full number of copies: ${shortage}`);
  return {
    bringBack: async () => {
      host.start();
      const isLive = await awaitStatus(world, {
        ...options,
        until: ({ nodes }) => nodes.some((node) => node.nodeId === nodeId && node.liveness === livenessLive),
      });
      if (!isLive.isReached) report(`${host.name} was started again and is not live`);
      const { isReached, latest } = await awaitStatus(world, {
        ...options,
        until: ({ chunks }) => chunks?.over === 0n && chunks.under === 0n && chunks.missing === 0n,
      });
      const { over = 0n, under = 0n } = latest?.chunks ?? {};
      if (!isReached) report(`after ${host.name} was back ${over} chunks had too many copies and ${under} too few`);
    },
  };
}

function killLeader(world: SimWorld, cluster: SimulatedCluster, afterMs: number): void {
  world.scheduler.schedule(afterMs, "fault kill leader", () => {
    const leader = cluster.views().find((view) => view.isLeader);
    const host = cluster.masters.find((master) => master.name === leader?.name);
    host?.kill();
    world.scheduler.schedule(leaderAwayMs, "undo kill leader", () => host?.start());
  });
}
