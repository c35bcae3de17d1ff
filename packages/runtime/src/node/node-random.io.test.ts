import { expect, test } from "vitest";
import { createNodeRandom } from "./node-random.ts";

test("draws of any size are distinct, of the asked length, and never left as zeros", () => {
  const random = createNodeRandom();
  const drawn = new Set<string>();
  for (let round = 0; round < 2000; round++) {
    const bytes = random.bytes(8 + (round % 80));
    expect(bytes.length).toBe(8 + (round % 80));
    expect(bytes.some((byte) => byte !== 0)).toBe(true);
    drawn.add(Buffer.from(bytes).toString("hex"));
  }
  expect(drawn.size).toBe(2000);
  expect(random.bytes(0).length).toBe(0);
});

test("fractions are in [0, 1)", () => {
  const random = createNodeRandom();
  for (let round = 0; round < 100; round++) {
    const fraction = random.fraction();
    expect(fraction >= 0 && fraction < 1).toBe(true);
  }
});
