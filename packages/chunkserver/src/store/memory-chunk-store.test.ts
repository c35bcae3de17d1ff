import { describeChunkStore, RecordingInventory } from "./chunk-store.contract.ts";
import { MemoryChunkStore } from "./memory-chunk-store.ts";

describeChunkStore("MemoryChunkStore", async (body) => {
  const inventory = new RecordingInventory();
  const store = new MemoryChunkStore(inventory);
  await body({ store, inventory, damage: async (chunk, offsetBytes) => store.damage(chunk, offsetBytes) });
});
