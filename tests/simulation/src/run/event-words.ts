import type { DomainEvent } from "@holdfast/master";
import type { CopyChange } from "./recording.ts";

/** A committed event in words: its name and its small fields. */
export function describeEvent(event: DomainEvent): string {
  const fields = Object.entries(event).flatMap(([name, value]) => {
    if (name === "kind" || name === "passwordHash") return [];
    const text = wordOf(value);
    return text === "" ? [] : [`${name} ${text}`];
  });
  return `${event.kind} ${fields.join(", ")}`.trim();
}

function wordOf(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "string") return value.length > 24 ? `${value.slice(0, 8)}...` : value;
  if (value instanceof Uint8Array) return value.length === 0 ? "" : `${value.length} bytes`;
  if (!Array.isArray(value) || value.length === 0) return "";
  const isPlain = value.every((item) => typeof item === "number" || typeof item === "string");
  return isPlain ? value.slice(0, 12).join(" ") : `${value.length}`;
}

/** What an event says about copies of chunks. `nodeId` 0 = about the chunk itself. */
export function copyChangesOf(
  event: DomainEvent,
): readonly { readonly chunkId: number; readonly nodeId: number; readonly change: CopyChange }[] {
  switch (event.kind) {
    case "chunkPlaced": {
      const { chunkId } = event;
      return event.nodeIds.map((nodeId) => ({
        ...{ chunkId, nodeId },
        change: event.confirmedNodeIds.includes(nodeId) ? "confirmed" : "placed",
      }));
    }
    case "replicaPlaced":
    case "replicaConfirmed":
    case "replicaLost": {
      const change = { replicaPlaced: "placed", replicaConfirmed: "confirmed", replicaLost: "lost" } as const;
      return event.chunkIds.map((chunkId) => ({ chunkId, nodeId: event.nodeId, change: change[event.kind] }));
    }
    case "trimOrdered":
      return [{ chunkId: event.chunkId, nodeId: event.nodeId, change: "trimOrdered" }];
    case "replicaTrimmed":
      return [{ chunkId: event.chunkId, nodeId: event.nodeId, change: "trimmed" }];
    default:
      return [];
  }
}
