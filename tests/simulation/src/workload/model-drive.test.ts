import { describe, expect, it } from "vitest";
import { ModelDrive } from "./model-drive.ts";

describe("the model of a client's drive", () => {
  it("allows the old and the new content while an operation is unresolved, and one of them after it", () => {
    const model = new ModelDrive();
    model.begin(new Map([["a", "1"]]));
    expect([model.allows("a", undefined), model.allows("a", "1"), model.allows("a", "2")]).toEqual([true, true, false]);
    model.acknowledge();
    expect([model.allows("a", undefined), model.allows("a", "1")]).toEqual([false, true]);
    model.begin(new Map([["a", undefined]]));
    model.refuse();
    expect([model.allows("a", undefined), model.allows("a", "1")]).toEqual([false, true]);
    expect(model.names()).toEqual(["a"]);
  });
});
