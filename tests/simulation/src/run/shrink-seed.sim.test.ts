import { withPlanted } from "@holdfast/base/planting";
import { expect, it } from "vitest";
import { optionsOf } from "./narrowing.ts";
import { runSeed } from "./run-seed.ts";
import { shrinkSeed } from "./shrink-seed.ts";

const planted: typeof runSeed = (seed, options) => withPlanted("ackBeforeFsync", () => runSeed(seed, options));

it("makes a red seed smaller, and what is left is red again when it is typed", async () => {
  const shrunk = await shrinkSeed(1, { run: planted, runsMax: 5 });
  const first = await planted(1);
  expect(shrunk?.report.faultCount).toBeLessThan(first.faultCount);
  expect((await planted(1, optionsOf(shrunk?.narrowing ?? {}))).traceHash).toBe(shrunk?.report.traceHash);
  expect(await shrinkSeed(1, { runsMax: 5 })).toBeUndefined();
});
