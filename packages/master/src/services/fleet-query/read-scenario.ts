import type { Scenario } from "../../controllers/what-if/forecast.ts";
import { readCopyNodes } from "../../controllers/repair/observe.ts";
import { clusterTable } from "../../domain/state.ts";
import type { FleetRead } from "./fleet-read.ts";

/** The cluster as it is now. */
export async function readScenario(read: FleetRead): Promise<Scenario> {
  const { copySets, tables, observer, preset, writeCopiesMin, copyBytesPerSecond } = read;
  const sets = await copySets.sets();
  const nodes = readCopyNodes(tables, { nodes: observer.observedNodes(), sets });
  return {
    nodes,
    sets,
    replication: tables.get(clusterTable, [])?.replication ?? 1,
    writeCopiesMin,
    measuredBytesPerSecond: copyBytesPerSecond(),
    bytesPerSecondMax: preset.repair.bytesPerSecondMax,
  };
}
