import { create } from "@bufbuild/protobuf";
import { DiskSchema, Liveness, NodeSchema, type Intent, type Node } from "@holdfast/proto/model/v1/model";
import type { ObservedLiveness } from "../../controllers/liveness/plan.ts";
import { drillsOf } from "../../domain/fleet/drills.ts";
import type { NodeRow } from "../../domain/fleet/tables.ts";
import type { TableReader } from "../../domain/tables.ts";
import type { FleetObserver } from "./fleet-observer.ts";

/** Liveness as the wire names it. */
export const wireLiveness = {
  unknown: Liveness.UNSPECIFIED,
  live: Liveness.LIVE,
  suspect: Liveness.SUSPECT,
  dead: Liveness.DEAD,
} as const satisfies Record<ObservedLiveness, Liveness>;

/**
 * A node as people see it. With an observer (at the leader) liveness, load and age are observed; without, a follower can
 * only tell whether the log calls it down.
 */
export function nodeToWire(row: NodeRow, tables: TableReader, observer: FleetObserver | undefined): Node {
  const last = observer?.lastReport(row.nodeId);
  const load = last?.load;
  const latency = last?.details?.latency;
  const caution = observer?.cautionOf(row.nodeId);
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
    rack: row.rack,
    disks: (last?.details?.disks ?? []).map(({ path, state, capacityBytes, usedBytes }) =>
      create(DiskSchema, { path, state, capacityBytes: BigInt(capacityBytes), usedBytes: BigInt(usedBytes) }),
    ),
    isGray: caution?.isGray ?? false,
    caution: caution?.reason ?? "",
    writeP95TenthMs: latency?.writeP95TenthMs ?? 0,
    readP95TenthMs: latency?.readP95TenthMs ?? 0,
    writeBytesPerSecond: BigInt(latency?.writeBytesPerSecond ?? 0),
    readBytesPerSecond: BigInt(latency?.readBytesPerSecond ?? 0),
    drillIds: drillsOf(tables, row.nodeId).map(({ drillId }) => BigInt(drillId)),
    diskState: load?.diskState ?? "",
  });
}
