import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@holdfast/observability";
import { createNodeClock, createNodeDisk, createNodeRandom } from "@holdfast/runtime/node";
import { contractFounding, describeLogStore } from "./log-store.contract.ts";
import { openFileLogStore } from "./open-file-log-store.ts";

for (const segmentBytesMax of [64 * 1024 * 1024, 1024]) {
  describeLogStore(`file, segments of ${segmentBytesMax} bytes`, async () => {
    const directory = await mkdtemp(join(tmpdir(), "holdfast-log-"));
    return {
      open: async () => {
        const { store } = await openFileLogStore({
          disk: createNodeDisk(),
          clock: createNodeClock(),
          random: createNodeRandom(),
          logger: silentLogger,
          directory: `${directory}/raft`,
          clusterId: "test",
          peer: 1,
          founding: contractFounding,
          segmentBytesMax,
          windowBytesMax: 1 << 20,
        });
        return store;
      },
      end: () => rm(directory, { recursive: true, force: true }),
    };
  });
}
