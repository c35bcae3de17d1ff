import { expect, it } from "vitest";
import { huntDefects } from "./hunt.ts";

/** Those that need luck (a partition at the right moment, a node that dies for good) are left to `npm run sim -- --defects`. */
const seedsMax = 10;
const caughtMin = 10;

it(`catches most planted defects within ${seedsMax} seeds each`, async () => {
  const results = await huntDefects({ workers: 2, seedsMax });
  const missed = results.filter(({ caught }) => caught === undefined).map(({ defect }) => defect.name);
  console.log(`not caught within ${seedsMax} seeds: ${missed.join(", ") || "none"}`);
  expect(results.length - missed.length).toBeGreaterThanOrEqual(caughtMin);
});
