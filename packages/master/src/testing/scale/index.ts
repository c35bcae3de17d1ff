export { addDigests, bucketOf, copyDigest, subtractDigest } from "../../domain/chunks/inventory-digest.ts";
export { presets } from "../../controllers/presets.ts";
export {
  fillStore,
  scaleCapacityBytes,
  scaleChunkBytes,
  scaleNodeUuid,
  scaleZone,
  type ScaleInventories,
  type ScaleSize,
} from "./fill-store.ts";
export { createScaleLeader, type ScaleLeader, type ScaleNumbers } from "./scale-leader.ts";
