import { fillStore, type ScaleSize } from "@holdfast/master/testing/scale";
import { openLevelStore } from "@holdfast/runtime/node";

/** What the parent says: where a master at rest keeps its projections, and what to put there. */
export interface FillOrder {
  readonly projections: string;
  readonly size: ScaleSize;
}

// A process of its own, because filling needs a young heap of another size than measuring, and leaves garbage.
process.once("disconnect", () => process.exit());
process.once("message", (order: FillOrder) => {
  void fill(order).then((filled) => process.send?.(filled));
});

async function fill({ projections, size }: FillOrder): ReturnType<typeof fillStore> {
  const store = await openLevelStore(projections, { writeBufferSizeBytes: 64 << 20 });
  const filled = await fillStore(store, size);
  await store.close();
  return filled;
}
