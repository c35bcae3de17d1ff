import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  GetHistoryResponseSchema,
  GetWeakestResponseSchema,
  PredictRequest,
  PredictResponseSchema,
} from "@holdfast/proto/fleet/v1/fleet";
import { Intent } from "@holdfast/proto/model/v1/model";
import type { MemoryFleet } from "./memory-fleet.ts";

/** Made-up answers to "what if": any two nodes together lose something, one alone does not. */
export function predict(
  fleet: MemoryFleet,
  question: PredictRequest["question"],
): MessageInitShape<typeof PredictResponseSchema> {
  const lostIds = lostNodesOf(fleet, question);
  const isLossy = lostIds.length >= 2;
  const order = question.case === "command" ? question.value.command : undefined;
  const refusal = order === undefined ? "" : fleet.refusalOf(order);
  const staying = fleet.nodes.filter(({ nodeId, intent }) => !lostIds.includes(nodeId) && intent !== Intent.REMOVED);
  return {
    filesLost: isLossy ? 3n : 0n,
    filesLostExamples: isLossy ? ["/Invoices/2026-03.pdf", "/Music/demo.flac", "/notes.md"] : [],
    chunksByCopiesLeft: lostIds.length === 0 ? [0n, 0n, 0n, 1240n] : isLossy ? [7n, 410n, 823n] : [0n, 0n, 930n, 310n],
    bytesToCopy: lostIds.length === 0 ? 0n : 3_900_000_000n,
    repairMs: lostIds.length === 0 ? 0n : 62_000n,
    fills: staying.map(({ nodeId, usedBytes, capacityBytes }) => ({
      nodeId,
      usedBytes: usedBytes + (lostIds.length === 0 ? 0n : 60_000_000_000n),
      capacityBytes,
    })),
    isRepairable: staying.length >= fleet.replication,
    isWritable: staying.length >= 2,
    refusal,
    summary: isLossy
      ? "3 files could not be read until one of these nodes is back."
      : lostIds.length === 0
        ? "No copies are touched by this."
        : "930 chunks drop to 2 copies, none becomes unreadable.",
    index: 99n,
  };
}

/** Nodes whose copies go away. Errors: notFound. */
function lostNodesOf(fleet: MemoryFleet, question: PredictRequest["question"]): readonly number[] {
  switch (question.case) {
    case "lostNodes":
      return question.value.nodeIds;
    case "lostZone":
      return fleet.nodes.filter((node) => node.zone === question.value).map((node) => node.nodeId);
    case "command": {
      const order = question.value.command;
      const losing = ["drainNode", "startMaintenance", "failNode", "removeNode", "startDrill"];
      const nodeId = order.value !== undefined && "nodeId" in order.value ? order.value.nodeId : 0;
      if (nodeId !== 0) fleet.node(nodeId);
      return losing.includes(order.case ?? "") && nodeId !== 0 ? [nodeId] : [];
    }
    default:
      return [];
  }
}

/** The weakest pair is the cellar. */
export function weakest(): MessageInitShape<typeof GetWeakestResponseSchema> {
  return {
    node: { nodeIds: [2], chunksAtOne: 0n },
    pair: { nodeIds: [1, 2], chunksLost: 7n, chunksAtOne: 410n, filesLost: 3n },
    zone: { zone: "cellar", nodeIds: [1, 2], chunksLost: 7n, chunksAtOne: 410n, filesLost: 3n },
    index: 99n,
  };
}

const intervalMs = 2000;

/** Five minutes of made-up samples after a time. */
export function history(
  fleet: MemoryFleet,
  nowMs: number,
  afterMs: bigint,
): MessageInitShape<typeof GetHistoryResponseSchema> {
  const last = Math.floor(nowMs / intervalMs) * intervalMs;
  const samples = Array.from({ length: 150 }, (_, position) => last - (149 - position) * intervalMs)
    .filter((atMs) => atMs > Number(afterMs))
    .map((atMs) => {
      const step = atMs / intervalMs;
      const wave = (period: number) => (Math.sin((step / period) * Math.PI * 2) + 1) / 2;
      const isRepairing = step % 150 > 60 && step % 150 < 90;
      return {
        atMs: BigInt(atMs),
        chunksHealthy: isRepairing ? 1100n : 1240n,
        chunksUnder: isRepairing ? 140n - BigInt(Math.round((step % 150) - 60)) * 4n : 0n,
        repairWaiting: isRepairing ? 120n : 0n,
        repairActive: isRepairing ? 8n : 0n,
        copyBytesPerSecond: isRepairing ? BigInt(Math.round(60e6 + wave(7) * 9e6)) : 0n,
        nodesLive: 4,
        nodesTotal: 4,
        commandsPerSecond: Math.round(20 + wave(40) * 160 + wave(3) * 20),
        nodes: fleet.nodes.map(({ nodeId, usedBytes, chunkCount, liveness }) => ({
          nodeId,
          usedBytes: usedBytes - BigInt(Math.round((last - atMs) * (40_000 + nodeId * 9_000))),
          chunkCount,
          writeBytesPerSecond: BigInt(Math.round(wave(17 + nodeId) * 30e6)),
          readBytesPerSecond: BigInt(Math.round(wave(11 + nodeId) * 50e6)),
          writeP95TenthMs: Math.round(40 + nodeId * 8 + wave(9 + nodeId) * 30),
          readP95TenthMs: Math.round(12 + wave(5 + nodeId) * 20),
          liveness,
        })),
      };
    });
  return { intervalMs, samples };
}
