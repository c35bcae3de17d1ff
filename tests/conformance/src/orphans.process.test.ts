import { expect, it } from "vitest";
import { startLocalCluster } from "./local-cluster.ts";
import { waitFor } from "./wait-for.ts";

it("no process outlives a supervisor that was killed for good", async () => {
  const cluster = await startLocalCluster();
  const names = ["master-1", "master-2", "master-3", "node-1", "node-2", "node-3", "node-4", "gateway-1"];
  const pids = await Promise.all(names.map((name) => cluster.pid(name)));
  await cluster.kill("supervisor");
  const isAlive = (pid: number | undefined): boolean => {
    try {
      return process.kill(pid ?? 0, 0);
    } catch {
      return false;
    }
  };
  await waitFor("all of them to end", () => !pids.some(isAlive), 20_000);
  expect(pids.some(isAlive)).toBe(false);
  await cluster.destroy();
});
