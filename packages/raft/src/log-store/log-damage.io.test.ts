import { copyFile, mkdtemp, open, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeClock, createNodeDisk, createNodeRandom } from "@holdfast/runtime/node";
import { expect, it } from "vitest";
import { judge, writeLog } from "./log-damage.contract.ts";

async function turnBit(path: string, position: number): Promise<void> {
  const file = await open(path, "r+");
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    byte[0] = (byte[0] ?? 0) ^ (1 << (position % 8));
    await file.write(byte, 0, 1, position);
  } finally {
    await file.close();
  }
}

it("a damaged log on a real disk knows what it lacks and is whole once that is given back", async () => {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-damage-"));
  const ports = { disk: createNodeDisk(), clock: createNodeClock(), random: createNodeRandom() };
  try {
    const sound = `${directory}/sound`;
    const truth = await writeLog({ ...ports, directory: sound });
    const names = await readdir(sound);
    let repaired = 0;
    for (const name of names.filter((one) => one.startsWith("log-"))) {
      const size = (await ports.disk.stat(`${sound}/${name}`))?.sizeBytes ?? 0;
      for (let position = 0; position < size; position += 37) {
        const damaged = `${directory}/damaged-${name}-${position}`;
        await ports.disk.makeDirectory(damaged);
        for (const one of names) await copyFile(`${sound}/${one}`, `${damaged}/${one}`);
        await turnBit(`${damaged}/${name}`, position);
        const outcome = await judge({ ...ports, directory: damaged }, truth);
        if (outcome !== "unusable" && outcome > 0) repaired++;
        await rm(damaged, { recursive: true });
      }
    }
    expect(repaired).toBeGreaterThan(20);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
