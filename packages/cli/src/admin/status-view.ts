import { formatBytes, HoldfastError } from "@holdfast/base";
import type { GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";
import type { Master, Node } from "@holdfast/proto/model/v1/model";
import { formatTable } from "../output.ts";
import type { Session } from "../session.ts";
import { withRetries } from "../transfer/retry.ts";
import { intentWords, livenessWords } from "./words.ts";

/** The cluster now. Errors: `unavailable`, `denied`, `unauthenticated`. */
export async function readStatus(session: Session): Promise<GetClusterStatusResponse> {
  const { status } = await withRetries(() => session.admin.getStatus({}));
  if (status === undefined)
    throw new HoldfastError("unavailable", "The cluster did not answer with its status. Try again.");
  return status;
}

/** The document that contract.md promises. */
export function statusDocument(status: GetClusterStatusResponse): Record<string, unknown> {
  const { chunks, files } = status;
  return {
    clusterId: status.clusterId,
    index: Number(status.index),
    replication: status.replication,
    chunkSizeBytes: status.chunkSizeBytes,
    masters: status.masters.map((master) => ({
      name: master.name,
      role: master.role,
      term: Number(master.term),
      appliedIndex: Number(master.appliedIndex),
      commitIndex: Number(master.commitIndex),
      address: master.address,
      firstLogIndex: Number(master.firstLogIndex),
      lastLogIndex: Number(master.lastLogIndex),
      snapshotIndex: Number(master.snapshotIndex),
      isLearner: master.isLearner,
      standing: master.standing,
      isReceivingSnapshot: master.isReceivingSnapshot,
      snapshotPercent: master.snapshotPercent,
    })),
    nodes: status.nodes.map(nodeDocument),
    chunks: {
      total: Number(chunks?.total ?? 0),
      healthy: Number(chunks?.healthy ?? 0),
      under: Number(chunks?.under ?? 0),
      over: Number(chunks?.over ?? 0),
      missing: Number(chunks?.missing ?? 0),
      corrupt: Number(chunks?.corrupt ?? 0),
    },
    files: { total: Number(files?.total ?? 0), bytes: Number(files?.bytes ?? 0) },
    repair: {
      waitingChunks: Number(status.repair?.waitingChunks ?? 0),
      activeChunks: Number(status.repair?.activeChunks ?? 0),
      bytesPerSecond: Number(status.repair?.bytesPerSecond ?? 0),
      remainingMs: Number(status.repair?.remainingMs ?? 0),
      stoppedReason: status.repair?.stoppedReason ?? "",
    },
  };
}

/** One node of that document. */
export function nodeDocument(node: Node): Record<string, unknown> {
  return {
    name: node.name,
    nodeId: node.nodeId,
    liveness: livenessWords[node.liveness] ?? "unknown",
    intent: intentWords[node.intent] ?? "unknown",
    chunkCount: Number(node.chunkCount),
    usedBytes: Number(node.usedBytes),
    capacityBytes: Number(node.capacityBytes),
    freeBytes: Number(node.freeBytes),
    ip: node.ip,
    mac: node.mac,
    address: node.address,
    zone: node.zone,
    rack: node.rack,
    heartbeatAgeMs: Number(node.heartbeatAgeMs),
    isGray: node.isGray,
    caution: node.caution,
    diskState: node.diskState,
    writeP95Ms: node.writeP95TenthMs / 10,
    readP95Ms: node.readP95TenthMs / 10,
    writeBytesPerSecond: Number(node.writeBytesPerSecond),
    readBytesPerSecond: Number(node.readBytesPerSecond),
    drillIds: node.drillIds.map(Number),
  };
}

/** One node for people: name and value of each line; what there is nothing to say of is left out. */
export function nodeLines(node: Node): readonly (readonly [string, string])[] {
  const heard = node.heartbeatAgeMs === 0n ? "not heard yet" : `heard ${Number(node.heartbeatAgeMs)} ms ago`;
  const used = `${formatBytes(Number(node.usedBytes))} of ${formatBytes(Number(node.capacityBytes))}`;
  const slowest = (kind: string, tenthMs: number): string =>
    tenthMs === 0 ? `${kind} -` : `${kind} ${tenthMs / 10} ms`;
  const rate = (bytes: bigint): string => `${formatBytes(Number(bytes))}/s`;
  const lines: readonly (readonly [string, string])[] = [
    ["node", `${node.name} (id ${node.nodeId})`],
    ["liveness", `${livenessWords[node.liveness] ?? "unknown"}, ${heard}`],
    ["intent", intentWords[node.intent] ?? "unknown"],
    ["caution", node.caution],
    ["place", [node.zone, node.rack].filter((part) => part !== "").join(" / ")],
    ["chunks", `${node.chunkCount}, ${used}; ${formatBytes(Number(node.freeBytes))} free`],
    ["slowest 5 %", `${slowest("write", node.writeP95TenthMs)}, ${slowest("read", node.readP95TenthMs)}`],
    ["traffic", `in ${rate(node.writeBytesPerSecond)}, out ${rate(node.readBytesPerSecond)}`],
    ["address", `${node.address}, ip ${node.ip}, mac ${node.mac}`],
    ["drills", node.drillIds.join(", ")],
    ...node.disks.map(({ path, state, usedBytes, capacityBytes }) => {
      const fill = `${formatBytes(Number(usedBytes))} of ${formatBytes(Number(capacityBytes))}`;
      return ["disk", `${path}: ${state}, ${fill}`] as const;
    }),
  ];
  return lines.filter(([, value]) => value !== "");
}

/** Masters for people. */
export function mastersTable(status: GetClusterStatusResponse): string {
  return formatTable(
    ["MASTER", "ROLE", "TERM", "APPLIED", "LOG FROM", "SNAPSHOT", "ADDRESS"],
    status.masters.map((master) => [
      master.name,
      master.role,
      Number(master.term),
      Number(master.appliedIndex),
      Number(master.firstLogIndex),
      snapshotCell(master),
      master.address,
    ]),
  );
}

/** What of a master's log lives in its projections only, or the copy of another master's state that is on its way to it. */
function snapshotCell(master: Master): string {
  if (master.isReceivingSnapshot) return `receiving, ${master.snapshotPercent} %`;
  if (master.standing === "undecided" || master.standing === "joining") return "waits to be taken in";
  return master.snapshotIndex === 0n ? "" : String(master.snapshotIndex);
}

/** Chunkservers for people. */
export function nodesTable(status: GetClusterStatusResponse): string {
  return formatTable(
    ["NODE", "ID", "LIVENESS", "INTENT", "CHUNKS", "USED", "CAPACITY", "ZONE", "IP", "MAC", "NOTE"],
    status.nodes.map((node) => [
      node.name,
      String(node.nodeId),
      livenessWords[node.liveness] ?? "unknown",
      intentWords[node.intent] ?? "unknown",
      Number(node.chunkCount),
      formatBytes(Number(node.usedBytes)),
      formatBytes(Number(node.capacityBytes)),
      node.rack === "" ? node.zone : `${node.zone}/${node.rack}`,
      node.ip,
      node.mac,
      noteOf(node),
    ]),
  );
}

function noteOf(node: Node): string {
  const drill = node.drillIds.length > 0 ? "drill" : "";
  const disk = node.diskState === "" || node.diskState === "ok" ? "" : `disk ${node.diskState}`;
  const gray = node.isGray && node.caution === "" ? "slow" : node.caution;
  return [drill, disk, gray].filter((note) => note !== "").join(", ");
}

/** One sentence about data, from the chunk map. */
export function healthSentence(status: GetClusterStatusResponse): string {
  const total = Number(status.chunks?.total ?? 0);
  const missing = Number(status.chunks?.missing ?? 0);
  const under = Number(status.chunks?.under ?? 0);
  if (missing > 0) return `${missing} of ${total} chunks have no readable copy now.`;
  if (under > 0)
    return `${under} of ${total} chunks have fewer than ${status.replication} confirmed copies; none is lost.`;
  return total === 0 ? "No chunks are stored yet." : `All ${total} chunks have ${status.replication} confirmed copies.`;
}

/** One sentence about the copying that makes it whole again; empty when there is none. */
export function repairSentence({ repair }: GetClusterStatusResponse): string {
  if (repair === undefined) return "";
  if (repair.stoppedReason !== "") return `Repair is stopped: ${repair.stoppedReason}`;
  if (repair.waitingChunks + repair.activeChunks === 0n) return "";
  const work = `Repair: ${repair.activeChunks} chunks are being copied, ${repair.waitingChunks} wait`;
  if (repair.bytesPerSecond === 0n) return `${work}.`;
  const seconds = Math.ceil(Number(repair.remainingMs) / 1000);
  return `${work}; ${formatBytes(Number(repair.bytesPerSecond))} a second, about ${seconds} s left.`;
}
