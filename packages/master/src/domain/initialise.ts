import { ok } from "@holdfast/base";
import type { DecideResult } from "./decision.ts";
import { invalid } from "./namespace/lookup.ts";
import { clusterTable, type ClusterRecord } from "./state.ts";
import type { TableReader } from "./tables.ts";

const mebibyte = 2 ** 20;

/** The first event of a log; later calls change nothing. Submitted by every new leader. */
export function decideInitialise(tables: TableReader, wanted: ClusterRecord): DecideResult {
  if (tables.get(clusterTable, []) !== undefined) return ok({ events: [], outcome: {} });
  const { clusterId, chunkSizeBytes, replication } = wanted;
  if (!/^[0-9a-f]{32}$/.test(clusterId)) return invalid("A cluster id is 32 hex digits");
  // The lower bound is for tests; settings for people start at 1 MiB.
  if (chunkSizeBytes < 1024 || chunkSizeBytes > 64 * mebibyte) return invalid("A chunk has at most 64 MiB");
  if (replication < 1 || replication > 9) return invalid("A chunk has 1 to 9 copies");
  return ok({ events: [{ kind: "clusterInitialised", clusterId, chunkSizeBytes, replication }], outcome: {} });
}
