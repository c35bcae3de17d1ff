import { formatCount, formatItems } from "../../../lib/format.ts";
import type { Cluster } from "./cluster.ts";

/** How serious the headline is; "unknown" is grey, never green. */
export type Tone = "ok" | "warn" | "crit" | "unknown";

/**
 * One sentence about the data, from the chunk map and never from node pings: what is lost first, then what is at risk, then what is
 * not known, and only then that all is well.
 */
export function headlineOf(cluster: Cluster): { readonly text: string; readonly tone: Tone } {
  const { chunks, files, replication } = cluster;
  if (chunks.missing > 0) {
    return {
      tone: "crit",
      text: `${formatItems(chunks.missing, "chunk has", "chunks have")} no readable copy. Bring back the nodes that hold ${chunks.missing === 1 ? "it" : "them"}.`,
    };
  }
  if (chunks.corrupt > 0) {
    return {
      tone: "warn",
      text: `${formatItems(chunks.corrupt, "chunk has", "chunks have")} a damaged copy. Every file can still be read.`,
    };
  }
  if (chunks.under > 0) {
    return {
      tone: "warn",
      text: `${formatCount(chunks.under)} of ${formatItems(chunks.total, "chunk")} have fewer than ${replication} copies. Every file can be read.`,
    };
  }
  if (cluster.nodes.some((node) => node.liveness === "unknown"))
    return { tone: "unknown", text: "Waiting for the nodes to report. Nothing is known to be missing." };
  if (files.total === 0) return { tone: "ok", text: "No files yet. The cluster is ready." };
  return {
    tone: "ok",
    text: `${files.total === 1 ? "The only file has" : `All ${formatCount(files.total)} files have`} ${replication} confirmed copies.`,
  };
}
