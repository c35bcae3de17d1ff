import { create } from "@bufbuild/protobuf";
import {
  GetWeakestResponseSchema,
  WeakPointSchema,
  type GetWeakestResponse,
  type WeakPoint,
} from "@holdfast/proto/fleet/v1/fleet";
import { withoutNodes } from "../../controllers/what-if/change-nodes.ts";
import { forecast, type Scenario } from "../../controllers/what-if/forecast.ts";
import { findWeakest, type WeakSpot } from "../../controllers/what-if/weakest.ts";
import { countFiles } from "./files-at-risk.ts";
import type { FleetRead } from "./fleet-read.ts";
import { inSlices } from "./in-slices.ts";
import { readScenario } from "./read-scenario.ts";

/** Where the cluster would lose most. */
export async function getWeakest(read: FleetRead): Promise<GetWeakestResponse> {
  const now = await readScenario(read);
  const { node, pair, zone } = await inSlices(findWeakest(now.nodes, now.sets), read);
  await read.pause();
  const known: Known = { now, lostKeys: new Set(forecast(now).lostSets.map((set) => set.key)) };
  return create(GetWeakestResponseSchema, {
    ...(node === undefined ? {} : { node: await toWire(node, known, read) }),
    ...(pair === undefined ? {} : { pair: await toWire(pair, known, read) }),
    ...(zone === undefined ? {} : { zone: await toWire(zone, known, read) }),
    index: BigInt(read.index),
  });
}

interface Known {
  readonly now: Scenario;
  /** Sets that are lost as it is. */
  readonly lostKeys: ReadonlySet<string>;
}

async function toWire(spot: WeakSpot, { now, lostKeys }: Known, read: FleetRead): Promise<WeakPoint> {
  const { store, tables, signal, pause } = read;
  await pause();
  const sets = forecast(withoutNodes(now, spot.nodeIds)).lostSets.filter((set) => !lostKeys.has(set.key));
  const files = await countFiles(store, tables, { sets, signal });
  return create(WeakPointSchema, {
    nodeIds: [...spot.nodeIds],
    zone: spot.zone ?? "",
    chunksLost: BigInt(spot.chunksLost),
    chunksAtOne: BigInt(spot.chunksAtOne),
    filesLost: BigInt(files.count),
  });
}
