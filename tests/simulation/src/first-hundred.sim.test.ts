import { describe, it } from "vitest";
import { expectSeeds } from "./expect-seeds.ts";

// Two files, so that two cores share the seeds.
describe("the whole cluster, simulated", () => {
  it("keeps every promise over seeds 1 to 100", () => expectSeeds(1, 100));
});
