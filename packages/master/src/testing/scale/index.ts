export { addDigests, bucketOf, copyDigest, subtractDigest } from "../../domain/chunks/inventory-digest.ts";
export { fillStore, type FilledStore } from "./fill-store.ts";
export { ScaleCopies, type ScaleInventories } from "./scale-copies.ts";
export { scaleCapacityBytes, scaleChunkBytes, scaleNodeUuid, scaleZone, type ScaleSize } from "./scale-size.ts";
