import { contractFounding, describeLogStore } from "./log-store.contract.ts";
import { MemoryLog, MemoryLogStore } from "./memory-log-store.ts";

describeLogStore("memory", async () => {
  const log = new MemoryLog();
  return { open: async () => new MemoryLogStore(log, contractFounding), end: async () => undefined };
});
