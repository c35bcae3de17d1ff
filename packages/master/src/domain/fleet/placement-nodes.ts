import type { DecideContext } from "../decision.ts";
import type { TableReader } from "../tables.ts";
import { listNodes, nodeIntent } from "./tables.ts";

/** A node as placement sees it: the committed row joined with what the leader observes of it. */
export interface PlacementNode {
  readonly nodeId: number;
  readonly name: string;
  readonly address: string;
  readonly zone: string;
  /** Failure domain inside the zone. */
  readonly rack: string;
  readonly isActive: boolean;
  readonly liveness: "unknown" | "live" | "suspect" | "dead";
  readonly capacityBytes: number;
  readonly freeBytes: number;
  /** Its disk is neither full nor failed, by its own word. */
  readonly isWritable: boolean;
  readonly activeWriteCount: number;
  /** Slow but alive, or only just back again: gets copies only when nobody else can take them. */
  readonly isCautioned: boolean;
}

/** All nodes of the cluster, heard or not, by id. */
export function placementNodes(tables: TableReader, context: Pick<DecideContext, "nodes">): readonly PlacementNode[] {
  return listNodes(tables).map((row) => {
    const observed = context.nodes.get(row.nodeId);
    const liveness = observed?.liveness ?? "unknown";
    return {
      nodeId: row.nodeId,
      name: row.name,
      address: row.address,
      zone: row.zone,
      rack: row.rack,
      isActive: row.intent === nodeIntent.active,
      // A node that is down in the log stays out until NodeUp is committed.
      liveness: row.isDown ? "dead" : liveness,
      capacityBytes: observed?.capacityBytes ?? row.capacityBytes,
      freeBytes: observed?.freeBytes ?? 0,
      isWritable: observed?.diskState === "ok",
      activeWriteCount: observed?.activeWriteCount ?? 0,
      isCautioned: observed?.caution !== undefined,
    };
  });
}
