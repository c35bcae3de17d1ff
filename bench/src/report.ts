import { cpus, totalmem } from "node:os";
import type { Measurement } from "./measurement.ts";

/** Prints a table that can be pasted into docs/performance.md, with machine and date. */
export function printReport(measurements: readonly Measurement[]): void {
  const processor = cpus()[0]?.model.trim() ?? "unknown processor";
  console.log(
    `\n${cpus().length} cores (${processor}), ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}\n`,
  );
  console.log("| what | figure | detail |\n|---|---|---|");
  for (const { what, value, unit, detail } of measurements) {
    console.log(`| ${what} | ${Number.isInteger(value) ? value : value.toFixed(1)} ${unit} | ${detail ?? ""} |`);
  }
}
