import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { tableOf } from "./report-table.ts";
import { runChaos } from "./run-chaos.ts";

const help = `npm run chaos -- [--minutes 5] [--seed N] [--driver process|container] [--clients 6]
               [--plant defect,defect] [--json chaos-report.json]
Starts a cluster of real processes, hurts it under load for so long, and checks everything afterwards.
Exit code 1 when something was lost, wrong, resurrected, or out of order.`;

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
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const driver = values.driver === "container" ? "container" : "process";
  const seed = Number(values.seed);
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

// Whoever stops it early leaves nothing behind: the processes end with their parent, the rest is taken down by the next run.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
process.exit(await main());
