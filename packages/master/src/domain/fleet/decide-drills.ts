import { ok } from "@holdfast/base";
import { chunkTable, isHeld } from "../chunks/tables.ts";
import type { DecideContext, DecideResult, Decision } from "../decision.ts";
import { clusterTable, nextIds } from "../state.ts";
import type { TableReader } from "../tables.ts";
import { cutsOff, drillsOf, listDrills } from "./drills.ts";
import { countLosses } from "./losses.ts";
import type { FleetOrderOf } from "./orders.ts";
import { chunksText, findNode, namesOf, refuse, unchanged, type Refused } from "./refusals.ts";
import { standingsIn } from "./standing.ts";
import { listNodes, nodeIntent } from "./tables.ts";

/** Words of `holdfast.fleet.v1.DrillKind`. */
const drillKinds = new Map([
  [1, "stop"],
  [2, "partition"],
  [3, "slow"],
  [4, "corrupt"],
]);
const durationMsMin = 5000;
const durationMsMax = 3_600_000;
const delayMsMax = 10_000;

type StartDrill = FleetOrderOf<"startDrill">;

/** A drill to start, with chunks that looked fit to be damaged. */
export interface WantedDrill extends StartDrill {
  readonly candidateChunkIds: readonly number[];
}

/**
 * Errors: `notFound`, `invalidArgument`, `precondition`: another drill runs there or cuts off another node, chunks would
 * be without a live copy, writes would stop, or no copy can be damaged without harm.
 */
export function decideStartDrill(tables: TableReader, wanted: WantedDrill, context: DecideContext): DecideResult {
  const { nodeId, durationMs, delayMs } = wanted;
  const found = findNode(tables, nodeId);
  if (!found.ok) return found;
  const drillKind = drillKinds.get(wanted.kind);
  if (drillKind === undefined)
    return refuse("invalidArgument", "A drill is a stop, a partition, a slow disk or a damaged copy.");
  if (durationMs < durationMsMin || durationMs > durationMsMax)
    return refuse("invalidArgument", "A drill lasts 5 s to 1 hour.");
  const isSlow = drillKind === "slow";
  if (isSlow && (delayMs < 1 || delayMs > delayMsMax))
    return refuse("invalidArgument", "A slow disk is 1 ms to 10 s slower.");
  const obstacle = obstacleOf(tables, { nodeId, name: found.value.name, drillKind }, context);
  if (obstacle !== undefined) return obstacle;
  const chunkId = drillKind === "corrupt" ? pickVictim(tables, wanted, context) : 0;
  if (chunkId === undefined) {
    return refuse("precondition", `${found.value.name} has no copy of a chunk that has another live copy elsewhere.`);
  }
  const [drillId = 1] = nextIds(tables, "drill");
  const endsAtMs = context.atMs + durationMs;
  return ok({
    events: [{ kind: "drillStarted", drillId, nodeId, drillKind, endsAtMs, delayMs: isSlow ? delayMs : 0, chunkId }],
    outcome: { fleet: { drillId } },
  });
}

/** Ends one drill, those of a node, or all. Never refused. */
export function decideStopDrill(
  tables: TableReader,
  order: { readonly drillId: number; readonly nodeId: number },
): DecideResult {
  const running = listDrills(tables).filter((drill) =>
    order.drillId === 0 ? order.nodeId === 0 || drill.nodeId === order.nodeId : drill.drillId === order.drillId,
  );
  if (running.length === 0) return unchanged;
  const events = running.map(({ drillId }) => ({ kind: "drillEnded" as const, drillId, reason: "stopped" }));
  return ok({ events, outcome: {} });
}

/** Drills whose time is over; for the controller. */
export function decideExpireDrills(tables: TableReader, atMs: number): Decision {
  const over = listDrills(tables).filter((drill) => drill.endsAtMs <= atMs);
  const events = over.map(({ drillId }) => ({ kind: "drillEnded" as const, drillId, reason: "expired" }));
  return { events, outcome: {} };
}

function obstacleOf(
  tables: TableReader,
  drill: { readonly nodeId: number; readonly name: string; readonly drillKind: string },
  context: DecideContext,
): Refused | undefined {
  const { nodeId, name, drillKind } = drill;
  const [here] = drillsOf(tables, nodeId);
  if (here !== undefined) {
    return refuse(
      "precondition",
      `Drill ${here.drillId} (${here.drillKind}) runs on ${name} already. Stop it, or wait for its end.`,
    );
  }
  if (context.nodes.get(nodeId)?.liveness !== "live") {
    return refuse("precondition", `${name} is not heard now, so no drill can reach it. Wait until it is live.`);
  }
  if (drillKind !== "stop" && drillKind !== "partition") return undefined;
  const other = listDrills(tables).find(cutsOff);
  if (other !== undefined) {
    return refuse(
      "precondition",
      `Drill ${other.drillId} (${other.drillKind}) has cut off ${namesOf(tables, [other.nodeId])}; two nodes at once are not drilled. Stop it first.`,
    );
  }
  const losses = countLosses(tables, nodeId, { isLeft: (id) => isHeardAndCounts(tables, id, context), wanted: 1 });
  if (losses.lastCopiesCount > 0) {
    return refuse(
      "precondition",
      `${chunksText(losses.lastCopiesCount)} would have no live copy while ${name} is cut off. Wait until repair is done.`,
    );
  }
  const writable = listNodes(tables).filter(
    (row) => row.nodeId !== nodeId && row.intent === nodeIntent.active && isHeardAndCounts(tables, row.nodeId, context),
  );
  const needed = Math.min(context.writeCopiesMin, tables.get(clusterTable, [])?.replication ?? 1);
  if (writable.length >= needed) return undefined;
  return refuse(
    "precondition",
    `Writes would stop while ${name} is cut off: they need ${needed} other live, active nodes, and there ${writable.length === 1 ? "is 1" : `are ${writable.length}`}.`,
  );
}

/** The candidate with most other live copies; undefined when none has one. */
function pickVictim(tables: TableReader, wanted: WantedDrill, context: DecideContext): number | undefined {
  let best: { readonly chunkId: number; readonly others: number } | undefined;
  for (const chunkId of wanted.candidateChunkIds) {
    const row = tables.get(chunkTable, [chunkId]);
    if (row === undefined || !isHeld(row) || !row.confirmedNodeIds.includes(wanted.nodeId)) continue;
    const others = row.confirmedNodeIds.filter(
      (other) => other !== wanted.nodeId && isHeardAndCounts(tables, other, context),
    ).length;
    if (others > (best?.others ?? 0)) best = { chunkId, others };
  }
  return best?.chunkId;
}

/** A copy there can be read now and will be while the drill runs. */
function isHeardAndCounts(tables: TableReader, nodeId: number, context: DecideContext): boolean {
  if (!standingsIn(tables).counts(nodeId) || context.nodes.get(nodeId)?.liveness !== "live") return false;
  return !drillsOf(tables, nodeId).some(cutsOff);
}
