import { create } from "@bufbuild/protobuf";
import { Liveness, NodeSchema, type Intent, type Node } from "@holdfast/proto/model/v1/model";
import type { ObservedLiveness } from "../../controllers/liveness/plan.ts";
import type { NodeRow } from "../../domain/fleet/tables.ts";
import type { FleetObserver } from "./fleet-observer.ts";

const wireLiveness = {
  unknown: Liveness.UNSPECIFIED,
  live: Liveness.LIVE,
  suspect: Liveness.SUSPECT,
  dead: Liveness.DEAD,
} as const satisfies Record<ObservedLiveness, Liveness>;

/**
 * A node as people see it. With an observer (at the leader) liveness, load and age are observed; without, a follower can
 * only tell whether the log calls it down.
 */
export function nodeToWire(row: NodeRow, observer: FleetObserver | undefined): Node {
  const last = observer?.lastReport(row.nodeId);
  const load = last?.load;
  const liveness = observer === undefined ? (row.isDown ? "dead" : "unknown") : observer.livenessOf(row);
  return create(NodeSchema, {
    nodeId: row.nodeId,
    name: row.name,
    address: row.address,
    liveness: wireLiveness[liveness],
    // The numbers of the row are those of the wire (`nodeIntent`).
    intent: row.intent as Intent,
    chunkCount: BigInt(load?.chunkCount ?? 0),
    usedBytes: BigInt(load?.usedBytes ?? 0),
    capacityBytes: BigInt(load?.capacityBytes ?? row.capacityBytes),
    freeBytes: BigInt(load?.freeBytes ?? 0),
    ip: row.ip,
    mac: row.mac,
    heartbeatAgeMs: BigInt(Math.max(0, Math.round(last?.ageMs ?? 0))),
    zone: row.zone,
    incarnation: last?.incarnation ?? "",
  });
}
