// Breadth-first search over all states that three real cores reach within bounds (test/exhaustive).
// npm run raft:explore -- [--states 10000000] [--profile NAME]
import { exploreProfiles, type ExploreProfile } from "./exhaustive/bounds.ts";
import { Explorer, ExploreViolation } from "./exhaustive/explorer.ts";
import { readOptions } from "./usage.ts";

const values = readOptions("npm run raft:explore -- [--states 10000000] [--profile NAME]", {
  states: { type: "string", default: "10000000" },
  profile: { type: "string" },
});
const statesMax = Number(values.states);
const chosen = exploreProfiles.filter(({ name }) => values.profile === undefined || name === values.profile);
if (chosen.length === 0 || !(statesMax > 0)) {
  process.stderr.write(`No such profile; one of: ${exploreProfiles.map(({ name }) => name).join(", ")}\n`);
  process.exitCode = 2;
}

function explore(profile: ExploreProfile): boolean {
  const startedMs = performance.now();
  const limit = profile.states === undefined ? statesMax : Infinity;
  const report = new Explorer(profile.bounds, limit).run();
  const seconds = (performance.now() - startedMs) / 1000;
  const { within } = profile;
  const isOtherDepth = within?.depth === report.depth && within.states !== report.statesWithinDepth;
  const isPinned = (profile.states === undefined || profile.states === report.states) && !isOtherDepth;
  const end = report.isComplete
    ? "all of them"
    : `all ${report.statesWithinDepth} within ${report.depth} steps, and more`;
  process.stdout.write(
    `${profile.name}: ${report.states} distinct states (${end}), ${report.transitions} transitions, ` +
      `${Math.round(report.states / seconds)} states/s, ${seconds.toFixed(1)} s, ${Math.round(report.bytes / 2 ** 20)} MiB; ` +
      `${report.localStates} states of single members, ${report.coreSteps} steps of the real core, ${report.messages} messages` +
      `${isPinned ? "" : `; PINNED ${profile.states ?? within?.states}`}\n`,
  );
  return isPinned;
}

for (const profile of chosen) {
  try {
    if (!explore(profile)) process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof ExploreViolation)) throw error;
    process.stdout.write(`${profile.name}: RED after ${error.statesBefore} states: ${error.message}\n`);
    process.exitCode = 1;
  }
}
