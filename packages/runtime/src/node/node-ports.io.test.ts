import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { clockTimersContract } from "../contract/clock-timers.contract.ts";
import { diskContract } from "../contract/disk.contract.ts";
import { keyValueStoreContract } from "../contract/key-value-store.contract.ts";
import { openLevelStore } from "./level-store.ts";
import { createNodeClock } from "./node-clock.ts";
import { createNodeDisk } from "./node-disk.ts";
import { createNodeTimers } from "./node-timers.ts";

const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), "holdfast-runtime-"));

diskContract("node", async () => {
  const folder = await temporaryFolder();
  return { disk: createNodeDisk(), folder, stop: () => rm(folder, { recursive: true }) };
});

keyValueStoreContract("LevelDB", async () => {
  const folder = await temporaryFolder();
  const first = await openLevelStore(folder);
  let current = first;
  return {
    store: first,
    reopen: async () => {
      await current.close();
      current = await openLevelStore(folder);
      return current;
    },
    stop: async () => {
      await current.close();
      await rm(folder, { recursive: true });
    },
  };
});

clockTimersContract("node", async () => ({
  clock: createNodeClock(),
  timers: createNodeTimers(),
  settle: (promise) => promise,
  stop: async () => undefined,
}));

test("a LevelDB that is open is refused to a second opener", async () => {
  const folder = await temporaryFolder();
  const store = await openLevelStore(folder);
  await expect(openLevelStore(folder)).rejects.toMatchObject({ kind: "precondition" });
  await store.close();
  await rm(folder, { recursive: true });
});
