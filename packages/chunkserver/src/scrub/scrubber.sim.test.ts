import { describe, expect, it } from "vitest";
import { sampleBytes } from "../store/chunk-store.contract.ts";
import { inFleet, sendChunk } from "../testing/fleet-in-world.ts";

describe("Scrubber", () => {
  it("finds damage that nobody reads, reports it, and remembers over a restart what it verified", () =>
    inFleet(1, async (fleet, nodes) => {
      for (const chunkId of [1, 2, 300])
        await sendChunk(fleet.client, { chunkId, bytes: sampleBytes(1_000_000), nodes });
      fleet.world.machine("node-1").disk.corrupt("/data/chunks/00/01/000000000000012c.1", 500_000);
      await fleet.until(() => fleet.leader.reports.some(({ corrupt }) => corrupt[0]?.chunkId === 300n), 60_000);
      expect(nodes[0]?.chunkserver.status().chunkCount).toBe(2);
      await fleet.sleep(60_000);
      const saved = JSON.parse(new TextDecoder().decode(await nodes[0]?.process.disk.readFile("/data/scrub.json"))) as {
        verifiedAtMs: number[];
      };
      expect(saved.verifiedAtMs.filter((atMs) => atMs > 0).length).toBeGreaterThan(40);
    }));
});
