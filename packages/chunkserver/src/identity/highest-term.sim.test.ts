import { createSimWorld, type SimMachine, type SimWorld } from "@holdfast/runtime/sim";
import { expect, test } from "vitest";
import { DataDirectories } from "./data-directories.ts";
import { openHighestTerm, type HighestTerm } from "./highest-term.ts";

interface Node {
  readonly world: SimWorld;
  readonly machine: SimMachine;
  readonly term: HighestTerm;
}

async function start(world: SimWorld): Promise<Node> {
  const machine = world.machine("node");
  const { disk } = machine.startProcess();
  await world.settle(disk.makeDirectory("/data"), 1000);
  return { world, machine, term: await world.settle(openHighestTerm(new DataDirectories(disk, ["/data"])), 1000) };
}

function startAnew({ world, machine }: Node): Promise<Node> {
  machine.powerCut();
  machine.disk.foreignBytes = 0;
  return start(world);
}

function fill({ disk }: SimMachine): void {
  disk.foreignBytes = disk.capacityBytes;
}

test("a term is durable once it is observed, and a lower one is refused ever after", async () => {
  const node = await start(createSimWorld(1));
  expect(await node.world.settle(node.term.observe(7), 1000)).toBe(true);
  expect(await node.world.settle(node.term.observe(6), 1000)).toBe(false);
  const later = await startAnew(node);
  expect(later.term.term).toBe(7);
  expect(await later.world.settle(later.term.observe(6), 1000)).toBe(false);
});

test("a full disk takes a later term in the place of the one before", async () => {
  const node = await start(createSimWorld(2));
  await node.world.settle(node.term.observe(9), 1000);
  fill(node.machine);
  expect(await node.world.settle(node.term.observe(10), 1000)).toBe(true);
  expect((await startAnew(node)).term.term).toBe(10);
});

test("what a disk without room refused is written when it is asked again, and believed only then", async () => {
  const node = await start(createSimWorld(3));
  fill(node.machine);
  const refusals = [node.term.observe(4), node.term.observe(4), node.term.observe(5)].map((asked) =>
    asked.catch(String),
  );
  expect(await node.world.settle(Promise.all(refusals), 1000)).toEqual(Array(3).fill(expect.stringContaining("full")));
  await expect(node.world.settle(node.term.observe(5), 1000)).rejects.toMatchObject({ kind: "noSpace" });
  node.machine.disk.foreignBytes = 0;
  expect(await node.world.settle(node.term.observe(4), 1000)).toBe(false);
  expect(await node.world.settle(node.term.observe(5), 1000)).toBe(true);
  expect((await startAnew(node)).term.term).toBe(5);
});
