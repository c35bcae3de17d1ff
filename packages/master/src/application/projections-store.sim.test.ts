import { createSimWorld, type SimProcess, type SimWorld } from "@holdfast/runtime/sim";
import { describe, expect, it } from "vitest";
import { ProjectionsStore } from "./projections-store.ts";

const bytes = (...numbers: number[]): Uint8Array => Uint8Array.from(numbers);

async function open(world: SimWorld): Promise<{ store: ProjectionsStore; process: SimProcess }> {
  const process = world.machine("m").startProcess();
  const { disk } = process;
  const opened = disk
    .makeDirectory("/data")
    .then(() => ProjectionsStore.open({ disk, data: "/data", openStore: (path) => process.openStore(path) }));
  return { store: await world.settle(opened, 1000), process };
}

async function all(world: SimWorld, store: ProjectionsStore): Promise<number[][]> {
  const gather = async (): Promise<number[][]> => {
    const rows: number[][] = [];
    for await (const [key, value] of store.range({})) rows.push([...key, ...value]);
    return rows;
  };
  return world.settle(gather(), 1000);
}

describe("the projections' store", () => {
  it("swaps its whole content, keeps it over a restart, and can do so again", async () => {
    const world = createSimWorld(1);
    const first = await open(world);
    await world.settle(first.store.write([{ key: bytes(1), value: bytes(1) }], { isDurable: true }), 1000);
    for (let round = 2; round < 5; round++) {
      const replacement = await world.settle(first.store.replace(), 1000);
      await world.settle(replacement.write([{ key: bytes(round), value: bytes(round) }]), 1000);
      expect(first.store.get(bytes(round))).toBeUndefined();
      let swaps = 0;
      await world.settle(
        replacement.activate(() => swaps++),
        1000,
      );
      expect([swaps, await all(world, first.store)]).toEqual([1, [[round, round]]]);
    }
    await world.settle(first.store.close(), 1000);
    first.process.crash();
    const second = await open(world);
    expect(await all(world, second.store)).toEqual([[4, 4]]);
  });

  it("keeps the state that is being put in its place when another one begins meanwhile, and an old one touches nothing", async () => {
    const world = createSimWorld(4);
    const { store } = await open(world);
    await world.settle(store.write([{ key: bytes(1), value: bytes(1) }], { isDurable: true }), 1000);
    const forgotten = await world.settle(store.replace(), 1000);
    const first = await world.settle(store.replace(), 1000);
    await expect(world.settle(forgotten.write([{ key: bytes(9), value: bytes(9) }]), 1000)).rejects.toMatchObject({
      kind: "precondition",
    });
    await world.settle(first.write([{ key: bytes(2), value: bytes(2) }]), 1000);
    const { disk } = world.machine("m");
    disk.syncStallMs = 3000;
    let swaps = 0;
    const activated = first.activate(() => swaps++);
    await world.runFor(10);
    const second = store.replace();
    disk.syncStallMs = 0;
    await world.settle(activated, 30_000);
    const next = await world.settle(second, 30_000);
    await world.settle(Promise.all([forgotten.discard(), first.discard()]), 1000);
    await world.runFor(100);
    expect([swaps, await all(world, store)]).toEqual([1, [[2, 2]]]);
    await world.settle(next.write([{ key: bytes(3), value: bytes(3) }]), 1000);
    await world.settle(
      next.activate(() => swaps++),
      1000,
    );
    expect([swaps, await all(world, store)]).toEqual([2, [[3, 3]]]);
  });

  it("forgets a state that was never whole", async () => {
    const world = createSimWorld(2);
    const { store, process } = await open(world);
    await world.settle(store.write([{ key: bytes(1), value: bytes(1) }], { isDurable: true }), 1000);
    const half = await world.settle(store.replace(), 1000);
    await world.settle(half.write([{ key: bytes(7), value: bytes(7) }]), 1000);
    process.crash();
    const again = await open(world);
    expect(await all(world, again.store)).toEqual([[1, 1]]);
    const next = await world.settle(again.store.replace(), 1000);
    expect(next.get(bytes(7))).toBeUndefined();
    await world.settle(next.discard(), 1000);
  });

  it("has the old or the new state, whole, when power is cut at any moment of the swap", async () => {
    const seen = new Set<string>();
    for (let cutMs = 0; cutMs < 12; cutMs += 0.25) {
      const world = createSimWorld(`cut ${cutMs}`);
      const { store } = await open(world);
      await world.settle(store.write([{ key: bytes(1), value: bytes(1) }], { isDurable: true }), 1000);
      const replacement = await world.settle(store.replace(), 1000);
      await world.settle(replacement.write([2, 3].map((each) => ({ key: bytes(each), value: bytes(each) }))), 1000);
      replacement.activate(() => undefined).catch(() => undefined);
      await world.runFor(cutMs);
      world.machine("m").powerCut();
      const again = await open(world);
      seen.add(JSON.stringify(await all(world, again.store)));
    }
    expect([...seen].toSorted()).toEqual(["[[1,1]]", "[[2,2],[3,3]]"]);
  });
});
