import { expect, it } from "vitest";
import { fuzz } from "./fuzz.ts";

/** More with `npm run raft:fuzz -- --messages N`. */
const messages = 30_000;

it(`${messages} pieces of structured garbage throw nothing and break no invariant`, { timeout: 60_000 }, () => {
  const report = fuzz({ seed: 1, messages });
  // Garbage that nobody looks at would prove nothing.
  expect(report.decoded).toBeGreaterThan(messages / 25);
  expect(report.dropped).toBeGreaterThan(messages / 25);
  for (const role of ["leader", "follower", "candidate", "preCandidate"]) {
    expect(report.byRole[role], role).toBeGreaterThan(messages / 1000);
  }
});
