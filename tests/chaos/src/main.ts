import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { type FigureReport, figureTable } from "./figures/figure.ts";
import { measureLeaderKills } from "./figures/leader-kills.ts";
import { measureRepair } from "./figures/repair.ts";
import { measureRollingRestarts } from "./figures/rolling-restarts.ts";
import { tableOf } from "./report-table.ts";
import { runChaos } from "./run-chaos.ts";

const help = `npm run chaos -- [--minutes 5] [--seed N] [--driver process|container] [--clients 6]
               [--plant defect,defect] [--json chaos-report.json]
Starts a cluster of real processes, hurts it under load for so long, and checks everything afterwards.
Exit code 1 when something was lost, wrong, resurrected, or out of order.

npm run chaos -- --leader-kills 50       time without writes when the leader is killed under load
npm run chaos -- --rolling-restarts 3    every process restarted in turn under load, so many times
npm run chaos -- --repair 200 [--declared]
               a node with so many MiB killed for good (and declared dead by an administrator): time, rate, readers`;

function report(line: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "5" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      driver: { type: "string", default: "process" },
      clients: { type: "string", default: "6" },
      plant: { type: "string", default: "" },
      json: { type: "string", default: "chaos-report.json" },
      "leader-kills": { type: "string" },
      "rolling-restarts": { type: "string" },
      repair: { type: "string" },
      declared: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const seed = Number(values.seed);
  if (values.help) {
    console.log(help);
    return 0;
  }
  if (values["leader-kills"] !== undefined)
    return finish(await measureLeaderKills({ kills: Number(values["leader-kills"]), clients: 6, report }));
  if (values["rolling-restarts"] !== undefined)
    return finish(await measureRollingRestarts({ rounds: Number(values["rolling-restarts"]), seed, report }));
  if (values.repair !== undefined) {
    const options = { mebibytes: Number(values.repair), isDeclared: values.declared, readers: 2, report };
    return finish(await measureRepair(options));
  }
  const driver = values.driver === "container" ? "container" : "process";
  report(`seed ${seed}, ${values.minutes} minutes, driver ${driver}`);
  const result = await runChaos({
    driver,
    seed,
    durationMs: Number(values.minutes) * 60_000,
    clients: Number(values.clients),
    planted: values.plant === "" ? [] : values.plant.split(","),
    report,
  });
  await writeFile(values.json, `${JSON.stringify(result, undefined, 2)}\n`);
  console.log(tableOf(result));
  return result.violations.length === 0 ? 0 : 1;
}

function finish(result: FigureReport): number {
  console.log(figureTable(result));
  return result.violations.length === 0 ? 0 : 1;
}

// Whoever stops it early leaves nothing behind: the processes end with their parent, the rest is taken down by the next run.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
process.exit(await main());
