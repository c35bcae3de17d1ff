import { describe, it } from "vitest";
import { expectSeeds } from "./expect-seeds.ts";

// Two files, so that two cores share the seeds.
describe("the whole cluster, simulated", () => {
  it("keeps every promise over seeds 101 to 200", () => expectSeeds(101, 200));
});
