import { expect, test } from "vitest";
import { createSimWorld, type SimMachine, type SimProcess, type SimWorld } from "../sim/index.ts";
import type { Disk } from "../ports/disk.ts";
import { Ballast } from "./ballast.ts";
import { diskWithBallast } from "./disk-with-ballast.ts";

const capacityBytes = 10_000_000;
const sizeBytes = 100_000;

interface Subject {
  readonly world: SimWorld;
  readonly machine: SimMachine;
  readonly process: SimProcess;
  readonly ballast: Ballast;
  readonly disk: Disk;
  readonly told: string[];
}

async function start(world: SimWorld): Promise<Subject> {
  const machine = world.machine("m", { capacityBytes });
  const process = machine.startProcess();
  const { disk, random } = process;
  await world.settle(disk.makeDirectory("/data"), 1000);
  const told: string[] = [];
  const onChanged = (state: string): void => void told.push(state);
  const ballast = new Ballast({ disk, random, folder: "/data", sizeBytes, onChanged });
  await world.settle(ballast.begin(), 1000);
  return { world, machine, process, ballast, disk: diskWithBallast(disk, ballast), told };
}

/** Others take everything that is free now. */
async function fill({ world, machine, disk }: Subject): Promise<void> {
  machine.disk.foreignBytes += (await world.settle(disk.space("/data"), 1000)).freeBytes;
}

function append(subject: Subject, lengthBytes: number): Promise<void> {
  const write = async (): Promise<void> => {
    const file = await subject.disk.open("/data/log", "openOrCreate");
    await file.writePartsDurably([new Uint8Array(lengthBytes)], await file.size());
    await file.close();
  };
  return subject.world.settle(write(), 1000);
}

test("what must be written is written on a full disk, as long as the ballast lasts", async () => {
  const subject = await start(createSimWorld(1));
  await subject.world.settle(subject.ballast.hold(), 1000);
  expect(subject.ballast.isHeld).toBe(true);
  await fill(subject);
  await append(subject, 60_000);
  expect(subject.told).toEqual(["held", "given"]);
  await append(subject, 30_000);
  await expect(append(subject, 30_000)).rejects.toMatchObject({ kind: "noSpace" });
  expect(subject.ballast.isHeld).toBe(false);
});

test("it is held again only when there is plenty of room", async () => {
  const subject = await start(createSimWorld(2));
  await subject.world.settle(subject.ballast.hold(), 1000);
  await fill(subject);
  await append(subject, 1);
  await subject.world.settle(subject.ballast.hold(), 1000);
  expect(subject.ballast.isHeld).toBe(false);
  subject.machine.disk.foreignBytes -= 4 * sizeBytes;
  await subject.world.settle(subject.ballast.hold(), 1000);
  expect(subject.told).toEqual(["held", "given", "held"]);
});

test("a start on a full disk has the room that the one before held back", async () => {
  const before = await start(createSimWorld(3));
  await before.world.settle(before.ballast.hold(), 1000);
  before.process.crash();
  before.machine.disk.foreignBytes = capacityBytes - sizeBytes;
  const after = await start(before.world);
  expect(after.told).toEqual(["given"]);
  await append(after, 50_000);
});

test("a start with room keeps it, and one that was cut off in the making is made anew", async () => {
  const before = await start(createSimWorld(4));
  await before.world.settle(before.ballast.hold(), 1000);
  before.process.crash();
  const after = await start(before.world);
  expect(after.ballast.isHeld).toBe(true);
  const cut = async (): Promise<void> => {
    const file = await after.process.disk.open("/data/holdfast.ballast", "readWrite");
    await file.truncate(17);
    await file.close();
  };
  await after.world.settle(cut(), 1000);
  after.process.crash();
  const again = await start(before.world);
  expect(again.ballast.isHeld).toBe(true);
  await again.world.settle(again.ballast.hold(), 1000);
  expect((await again.world.settle(again.disk.stat("/data/holdfast.ballast"), 1000))?.sizeBytes).toBe(sizeBytes);
});

test("a disk that fails costs the ballast and nothing else; other errors than a full disk give nothing away", async () => {
  const subject = await start(createSimWorld(5));
  await subject.world.settle(subject.ballast.hold(), 1000);
  await expect(subject.world.settle(subject.disk.readFile("/data/none"), 1000)).rejects.toMatchObject({
    kind: "notFound",
  });
  expect(subject.ballast.isHeld).toBe(true);
  await subject.world.settle(subject.disk.remove("/data/holdfast.ballast"), 1000);
  await subject.world.settle(subject.ballast.give(), 1000);
  expect(subject.ballast.isHeld).toBe(false);
});

test("one that runs out of room in the making leaves nothing on the disk", async () => {
  const { world, machine, process, told } = await start(createSimWorld(6));
  const random = {
    fraction: () => 0.5,
    bytes: (lengthBytes: number) => {
      // There was room when it was looked for, and there is none by the time of the write.
      machine.disk.foreignBytes = capacityBytes - 1000;
      return new Uint8Array(lengthBytes);
    },
  };
  const onChanged = (state: string): void => void told.push(state);
  const ballast = new Ballast({ disk: process.disk, random, folder: "/data", sizeBytes, onChanged });
  await world.settle(ballast.hold(), 1000);
  expect(told).toEqual(["given"]);
  expect(ballast.isHeld).toBe(false);
  expect(await world.settle(process.disk.stat("/data/holdfast.ballast"), 1000)).toBeUndefined();
});
