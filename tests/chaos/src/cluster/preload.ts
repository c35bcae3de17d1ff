import { readFileSync } from "node:fs";
import { withPlanted } from "@holdfast/base/planting";

/**
 * Loaded into a process before its own code (`node --import`), by this harness only: a clock that is wrong by what a file
 * says, read at the start and at every SIGUSR2, and a defect planted on purpose. No setting of the product does either.
 */
const clockFile = process.env["CHAOS_CLOCK_FILE"];
const planted = process.env["CHAOS_PLANTED"];

if (clockFile !== undefined) {
  const trueNow = Date.now;
  let offsetMs = 0;
  const readOffset = (): void => {
    offsetMs = Number(readFileSync(clockFile, "utf8"));
  };
  readOffset();
  process.on("SIGUSR2", readOffset);
  Date.now = () => trueNow() + offsetMs;
}

if (planted !== undefined) {
  for (const defect of planted.split(",")) {
    // Never ends: the defect stays for as long as the process.
    withPlanted(defect, () => new Promise(() => {})).catch((error: unknown) => {
      throw error;
    });
  }
}
