// Plants historical bugs, one at a time, and counts how long the suite needs to find each (test/bug-bank).
// npm run raft:bug-bank -- [--starts 5] [--bug NAME] [--finder random]
import { canary, plantedBugs, type PlantedBug } from "./bug-bank/bugs.ts";
import { find, unitOf, type FinderName } from "./bug-bank/finders.ts";
import { readOptions } from "./usage.ts";

const values = readOptions("npm run raft:bug-bank -- [--starts 5] [--bug NAME] [--finder random|explore|vopr|script]", {
  starts: { type: "string", default: "5" },
  bug: { type: "string" },
  finder: { type: "string" },
});
const out = (line: string): void => void process.stdout.write(`${line}\n`);
const chosen = [...plantedBugs, canary].filter(({ name }) => values.bug === undefined || name === values.bug);

async function measure(bug: PlantedBug, finder: FinderName): Promise<{ effort: number; message: string } | undefined> {
  // The explorer and the scenarios draw nothing: one look is all there is.
  const starts = finder === "random" || finder === "vopr" ? Number(values.starts) : 1;
  const efforts: number[] = [];
  let message = "";
  for (let start = 0; start < starts; start++) {
    const found = await find(bug.name, finder, { firstSeed: 1 + start * 10_000 });
    efforts.push(found?.effort ?? Number.POSITIVE_INFINITY);
    message = found?.message ?? message;
    // Most of the starts must find it.
    if (efforts.filter((effort) => !Number.isFinite(effort)).length * 2 > starts) return undefined;
  }
  efforts.sort((left, right) => left - right);
  return { effort: efforts[Math.floor(efforts.length / 2)] ?? 0, message };
}

/** One look: the explorer and the scenarios draw nothing. */
async function alsoFoundBy(bug: PlantedBug, finder: FinderName | undefined): Promise<string | undefined> {
  if (finder === undefined || finder === "random") return "";
  const found = await measure(bug, finder);
  if (found === undefined) return undefined;
  return finder === "script" ? "script" : `${finder} (${found.effort} ${unitOf[finder]})`;
}

let killed = 0;
let killedByRandom = 0;
out("| planted bug | what is wrong | seen in | random seeds (median) | also found by | as |");
out("|---|---|---|---|---|---|");
for (const bug of chosen) {
  const finder = (values.finder as FinderName | undefined) ?? "random";
  const found = await measure(bug, finder);
  const also = await alsoFoundBy(bug, bug.also ?? bug.finder);
  if (found !== undefined) killedByRandom++;
  if (found !== undefined || (also !== undefined && also !== "")) killed++;
  const message = found?.message.split("\n")[0]?.replace("invariant broken: ", "").slice(0, 90) ?? "";
  const effort = found === undefined ? "not found" : String(found.effort);
  out(`| \`${bug.name}\` | ${bug.about} | ${bug.seenIn} | ${effort} | ${also ?? "NOT FOUND"} | ${message} |`);
}
out(`\n${killed} of ${chosen.length} killed, ${killedByRandom} by random runs (the canary included)`);
process.exitCode = killed === chosen.length ? 0 : 1;
