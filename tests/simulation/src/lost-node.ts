import type { Caller } from "@holdfast/gateway";
import type { SimWorld } from "@holdfast/runtime/sim";
import { awaitFullCopies } from "./checkers/full-copies.ts";
import { awaitStatus } from "./cluster-watcher.ts";
import type { SimulatedCluster } from "./simulated-cluster.ts";

/** Of `holdfast.model.v1.Liveness`. */
const livenessLive = 1;
const livenessDead = 3;
const leaderAwayMs = 2_000;
/** From what is observed of a node to the counts that follow from it: commit, and an answer that is not an older one. */
const noticeMs = 2_500;

/** What losing a node works with. */
export interface LostNodeOptions {
  readonly caller: Caller;
  readonly limitMs: number;
  readonly report: (violation: string) => void;
}

/**
 * A node dies and stays away; sometimes the leader dies in the middle of the copying, too. Every chunk must have its
 * full number of copies on the others. `bringBack` brings the node back: what it holds is then too much and must go.
 */
export async function loseNode(
  world: SimWorld,
  cluster: SimulatedCluster,
  { caller, limitMs, report }: LostNodeOptions,
): Promise<{ readonly bringBack: () => Promise<void> }> {
  const random = world.random.fork("lost node");
  const host = cluster.nodes[random.integer(cluster.nodes.length)];
  if (host === undefined) throw new RangeError("a cluster has nodes");
  host.kill();
  const isDead = await awaitStatus(world, cluster, {
    ...{ caller, limitMs },
    until: ({ nodes }) => nodes.some((node) => node.name === host.name && node.liveness === livenessDead),
  });
  if (!isDead.isReached) report(`${host.name} was killed and nobody noticed`);
  if (random.chance(0.5)) killLeader(world, cluster, random.between(0, 7_000));
  await world.runFor(noticeMs);
  const shortage = await awaitFullCopies(world, cluster, { caller, limitMs });
  if (shortage !== undefined) report(`without ${host.name} not every chunk got its full number of copies: ${shortage}`);
  return {
    bringBack: async () => {
      host.start();
      const isLive = await awaitStatus(world, cluster, {
        ...{ caller, limitMs },
        until: ({ nodes }) => nodes.every((node) => node.liveness === livenessLive),
      });
      if (!isLive.isReached) report(`${host.name} was started again and is not live`);
      await world.runFor(noticeMs);
      const { isReached, latest } = await awaitStatus(world, cluster, {
        ...{ caller, limitMs },
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
