import type { DecideResult } from "../decision.ts";
import { clusterTable, readHousekeeping } from "../state.ts";
import type { TableReader } from "../tables.ts";
import type { FleetOrderOf } from "./orders.ts";
import { decided, findNode, refuse, unchanged } from "./refusals.ts";
import { listNodes, nodeIntent } from "./tables.ts";

const labelPattern = /^[A-Za-z0-9._-]{0,63}$/;

/** Errors: `notFound`, `precondition` (removed), `invalidArgument`. */
export function decideLabel(tables: TableReader, order: FleetOrderOf<"labelNode">): DecideResult {
  const found = findNode(tables, order.nodeId);
  if (!found.ok) return found;
  const { nodeId, zone, rack } = order;
  if (!labelPattern.test(zone) || !labelPattern.test(rack)) {
    return refuse("invalidArgument", "Zones and racks are at most 63 letters, digits, dots, dashes and underscores.");
  }
  if (found.value.zone === zone && found.value.rack === rack) return unchanged;
  return decided({ kind: "nodeLabelled", nodeId, zone, rack });
}

/** Errors: `unavailable` (no cluster yet), `invalidArgument` (1 to 9, or more than there are active nodes). */
export function decideReplication(tables: TableReader, order: FleetOrderOf<"setReplication">): DecideResult {
  const cluster = tables.get(clusterTable, []);
  if (cluster === undefined) return refuse("unavailable", "The cluster is not initialised yet; try again in a moment.");
  const { replication } = order;
  if (replication < 1 || replication > 9) return refuse("invalidArgument", "A chunk has 1 to 9 copies.");
  if (replication === cluster.replication) return unchanged;
  const active = listNodes(tables).filter((row) => row.intent === nodeIntent.active).length;
  if (replication > active && replication > cluster.replication) {
    const nodes = active === 1 ? "There is 1 active node" : `There are ${active} active nodes`;
    return refuse(
      "invalidArgument",
      `${nodes}, and copies of a chunk are on different nodes: ${replication} copies need ${replication} active nodes. Add nodes first.`,
    );
  }
  return decided({ kind: "replicationChanged", replication });
}

/** Only what is named changes. */
export function decideHousekeeping(tables: TableReader, order: FleetOrderOf<"setHousekeeping">): DecideResult {
  const now = readHousekeeping(tables);
  const wanted = {
    isBalancePaused: order.isBalancePaused ?? now.isBalancePaused,
    isRepairPaused: order.isRepairPaused ?? now.isRepairPaused,
    isMassLossAccepted: order.isMassLossAccepted ?? now.isMassLossAccepted,
  };
  const isSame =
    wanted.isBalancePaused === now.isBalancePaused &&
    wanted.isRepairPaused === now.isRepairPaused &&
    wanted.isMassLossAccepted === now.isMassLossAccepted;
  return isSame ? unchanged : decided({ kind: "housekeepingChanged", ...wanted });
}
