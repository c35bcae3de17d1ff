import { createSimWorld, type SimMachine, type SimProcess, type SimWorld } from "@holdfast/runtime/sim";
import { describe, expect, it } from "vitest";
import { withPlanted } from "@holdfast/base/planting";
import { judge, openDamaged, writeLog, type DamagePorts, type TrueLog } from "./log-damage.contract.ts";
import { makeEntries, makeHardState } from "./log-store.contract.ts";

type Files = readonly (readonly [path: string, bytes: Uint8Array])[];

const portsOf = ({ disk, clock, random }: SimProcess): DamagePorts => ({ disk, clock, random, directory: "/raft" });

function filesOf(machine: SimMachine): Files {
  return [...machine.disk.data.files()].map(([path, inode]) => [path, inode.read(0, inode.sizeBytes)] as const);
}

/** A disk with these files and no other. */
function restore(machine: SimMachine, files: Files): void {
  machine.disk.data.wipe();
  machine.disk.data.makeDirectory("/raft");
  for (const [path, bytes] of files) {
    const inode = machine.disk.data.create(path);
    inode.write(bytes, 0);
    inode.sync();
  }
  machine.disk.data.syncDirectory("/raft");
}

async function prepare(
  end: "close" | "mark" = "close",
): Promise<{ world: SimWorld; machine: SimMachine; truth: TrueLog; files: Files }> {
  const world = createSimWorld(1);
  const machine = world.machine("m");
  const process = machine.startProcess();
  const truth = await world.settle(writeLog(portsOf(process), end), 1e6);
  process.crash();
  return { world, machine, truth, files: filesOf(machine) };
}

/** Damages a copy of the log, and judges what is opened. */
async function judgeDamaged(
  parts: Awaited<ReturnType<typeof prepare>>,
  damage: (bytes: Uint8Array) => Uint8Array,
  path: string,
): Promise<number | "unusable"> {
  const { world, machine, truth, files } = parts;
  restore(
    machine,
    files.map(([name, bytes]) => [name, name === path ? damage(Uint8Array.from(bytes)) : bytes] as const),
  );
  const process = machine.startProcess();
  try {
    return await world.settle(judge(portsOf(process), truth), 1e6);
  } finally {
    process.crash();
  }
}

describe("a damaged log", () => {
  it(
    "knows what a flipped bit took from it, wherever that is, and is whole once that is given back",
    { timeout: 120_000 },
    async () => {
      const parts = await prepare();
      const segments = parts.files.filter(([path]) => path.includes("log-"));
      expect(segments.length).toBeGreaterThan(1);
      let repaired = 0;
      let unusable = 0;
      for (const [path, bytes] of segments) {
        for (let at = 0; at < bytes.length; at++) {
          const outcome = await judgeDamaged(
            parts,
            (copy) => {
              copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8));
              return copy;
            },
            path,
          );
          if (outcome === "unusable") unusable++;
          else if (outcome > 0) {
            repaired++;
            // A record, and what of the log before it may have been replaced in it.
            expect(outcome).toBeLessThanOrEqual(14);
          }
        }
      }
      expect(repaired).toBeGreaterThan(800);
      // What the log began with, which nothing repeats.
      expect(unusable).toBeLessThan(350);
    },
  );

  it(
    "knows what a sector took from it that was overwritten by another one of the same log",
    { timeout: 120_000 },
    async () => {
      const parts = await prepare();
      const segments = parts.files.filter(([path]) => path.includes("log-"));
      let repaired = 0;
      for (const [path, bytes] of segments) {
        for (let to = 512; to + 512 <= bytes.length; to += 56) {
          for (let from = 0; from + 512 <= bytes.length; from += 72) {
            const outcome = await judgeDamaged(
              parts,
              (copy) => {
                copy.copyWithin(to, from, from + 512);
                return copy;
              },
              path,
            );
            if (outcome !== "unusable" && outcome > 0) repaired++;
          }
        }
      }
      expect(repaired).toBeGreaterThan(50);
    },
  );

  it("never takes damage to its last entries for a torn write once it was left alone for a while", async () => {
    const parts = await prepare("mark");
    const [path, bytes] = parts.files.filter(([name]) => name.includes("log-")).at(-1) ?? ["", new Uint8Array()];
    let repaired = 0;
    for (let at = bytes.length - 400; at < bytes.length; at++) {
      const flip = (copy: Uint8Array): Uint8Array => {
        copy[at] = (copy[at] ?? 0) ^ 1;
        return copy;
      };
      // Whatever it knows, it knows its true end.
      if ((await judgeDamaged(parts, flip, path)) !== 0) repaired++;
    }
    expect(repaired).toBeGreaterThan(100);
  });

  it("comes to the same after a crash at any moment of the repair", { timeout: 60_000 }, async () => {
    const parts = await prepare();
    const { world, machine, truth, files } = parts;
    const first = files.find(([path]) => path.endsWith("1"));
    for (let round = 0; round < 150; round++) {
      restore(machine, files);
      machine.disk.corrupt(first?.[0] ?? "", 900);
      const process = machine.startProcess();
      const store = await world.settle(openDamaged(portsOf(process)), 1e6);
      const [range] = store.boot.missing?.ranges ?? [];
      expect(range).toBeDefined();
      const repair = truth.entries.slice((range?.from ?? 1) - 1, range?.to);
      let isDone = false;
      store.append({ repair, append: makeEntries(25, 26, 5), hardState: makeHardState(5, 1, 22), mustSync: true }).then(
        () => (isDone = true),
        () => undefined,
      );
      await world.runFor(world.random.fraction() * 6);
      if (world.random.chance(0.5)) machine.powerCut();
      else process.crash();
      const again = await world.settle(openDamaged(portsOf(machine.startProcess())), 1e6);
      const { missing, lastIndex } = again.boot;
      if (isDone) expect({ missing, lastIndex }).toEqual({ missing: undefined, lastIndex: 26 });
      // The new entries come after the repair: with them, nothing is missing.
      else expect(missing === undefined || lastIndex === 24).toBe(true);
      if (missing === undefined) {
        const range = { fromIndex: truth.entries[0]?.index ?? lastIndex, toIndex: lastIndex, bytesMax: 1e9 };
        expect((await world.settle(again.read(range), 1e6)).slice(0, 24)).toEqual(truth.entries);
      }
      machine.powerCut();
    }
  });

  it("would lose entries if it were cut off at the damage", async () => {
    const parts = await prepare();
    const path = parts.files.find(([name]) => name.endsWith("1"))?.[0] ?? "";
    const flip = (copy: Uint8Array): Uint8Array => {
      copy[900] = (copy[900] ?? 0) ^ 4;
      return copy;
    };
    expect(await judgeDamaged(parts, flip, path)).toBeGreaterThan(0);
    await expect(withPlanted("logCutAtDamage", () => judgeDamaged(parts, flip, path))).rejects.toThrow();
  });
});
