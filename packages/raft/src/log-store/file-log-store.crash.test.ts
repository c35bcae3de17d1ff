import { isDeepStrictEqual } from "node:util";
import { HoldfastError, isHoldfastError } from "@holdfast/base";
import { silentLogger } from "@holdfast/observability";
import { createSimWorld, type SimProcess, type SimWorld } from "@holdfast/runtime/sim";
import { describe, expect, it } from "vitest";
import type { Entry, HardState, SnapshotMeta } from "../core/entries.ts";
import type { LogIndex, Term } from "../core/types.ts";
import { contractFounding, makeEntry, makeHardState } from "./log-store.contract.ts";
import type { LogChange, LogStore } from "./log-store.ts";
import { openFileLogStore, type FileLogStoreOptions } from "./open-file-log-store.ts";

/** What a log holds, as a value. */
interface Model {
  readonly start: SnapshotMeta;
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
  readonly promises: Uint8Array | undefined;
}

type Step =
  | { readonly kind: "append"; readonly change: LogChange }
  | { readonly kind: "compact"; readonly start: SnapshotMeta };

const fresh: Model = { start: contractFounding, entries: [], hardState: makeHardState(0, 0, 0), promises: undefined };

function lastOf(model: Model): { index: number; term: number } {
  return model.entries.at(-1) ?? model.start;
}

function applyStep(model: Model, step: Step): Model {
  if (step.kind === "compact")
    return { ...model, start: step.start, entries: model.entries.filter((entry) => entry.index > step.start.index) };
  const first = step.change.append[0];
  const kept = first === undefined ? model.entries : model.entries.filter((entry) => entry.index < first.index);
  const { append, hardState = model.hardState, promises = model.promises } = step.change;
  return { ...model, entries: [...kept, ...append], hardState, promises };
}

/** A step that a core could order. */
function drawStep(world: SimWorld, model: Model): Step {
  const { random } = world;
  const last = lastOf(model);
  if (random.chance(0.1) && model.entries.length > 2) {
    const entry = model.entries[random.integer(model.entries.length - 1)];
    if (entry !== undefined)
      return {
        kind: "compact",
        start: { index: entry.index, term: entry.term, membership: contractFounding.membership },
      };
  }
  // Alone, or along with what is written anyway.
  const promises = random.chance(0.2) ? { promises: random.bytes(1 + random.integer(60)) } : {};
  if ("promises" in promises && random.chance(0.5))
    return { kind: "append", change: { append: [], mustSync: true, ...promises } };
  const isConflict = random.chance(0.2) && model.entries.length > 0;
  const term = last.term + (isConflict || last.term === 0 ? 1 : 0);
  const firstIndex = isConflict ? last.index - random.integer(model.entries.length) : last.index + 1;
  const append = Array.from({ length: 1 + random.integer(6) }, (_, offset) =>
    makeEntry(firstIndex + offset, term, random.integer(300)),
  );
  return {
    kind: "append",
    change: {
      append,
      mustSync: true,
      ...promises,
      ...(random.chance(0.5) ? { hardState: makeHardState(term, 1, model.start.index) } : {}),
    },
  };
}

async function readModel(store: LogStore): Promise<Model> {
  const { logStart, lastIndex, hardState } = store.boot;
  const range = { fromIndex: (logStart.index + 1) as LogIndex, toIndex: lastIndex, bytesMax: 1e9 };
  const entries = lastIndex > logStart.index ? await store.read(range) : [];
  if (entries === "compacted") throw new Error("the log forgot what it should hold");
  return { start: logStart, entries, hardState, promises: store.promises };
}

function open(process: SimProcess, over: Partial<FileLogStoreOptions> = {}) {
  return openFileLogStore({
    disk: process.disk,
    clock: process.clock,
    random: process.random,
    logger: silentLogger,
    directory: "/raft",
    clusterId: "c",
    peer: 1,
    founding: contractFounding,
    segmentBytesMax: 3000,
    windowBytesMax: 500,
    ...over,
  });
}

/** Runs steps until a crash, opens again, and says which prefix of the steps survived. */
async function runUntilCrash(world: SimWorld, before: Model): Promise<Model> {
  const machine = world.machine("m");
  const process = machine.startProcess();
  const { store } = await world.settle(open(process), 1e6);
  expect(await world.settle(readModel(store), 1e6)).toEqual(before);
  const models = [before];
  let durableCount = 0;
  const stepCount = world.random.integer(40);
  for (let step = 0; step < stepCount; step++) {
    const model = models.at(-1) ?? before;
    const next = drawStep(world, model);
    const position = models.push(applyStep(model, next)) - 1;
    const done = next.kind === "compact" ? store.compact(next.start) : store.append(next.change);
    done.then(
      () => (durableCount = Math.max(durableCount, position)),
      () => undefined,
    );
    if (world.random.chance(0.6)) await world.runFor(world.random.fraction() * 4);
  }
  if (world.random.chance(0.5)) await world.runFor(world.random.fraction() * 10);
  if (world.random.chance(0.5)) machine.powerCut();
  else process.crash();
  const again = machine.startProcess();
  const recovered = await world.settle(open(again), 1e6);
  const found = await world.settle(readModel(recovered.store), 1e6);
  again.crash();
  const survived = models.findLastIndex((model) => isDeepStrictEqual(model, found));
  expect(survived, "what is found is the outcome of a prefix of the steps").toBeGreaterThanOrEqual(0);
  expect(survived, "nothing that was acknowledged is lost").toBeGreaterThanOrEqual(durableCount);
  return found;
}

describe("file log store under crashes", () => {
  it("recovers a prefix of the steps that includes everything acknowledged", { timeout: 60_000 }, async () => {
    for (let seed = 0; seed < 150; seed++) {
      const world = createSimWorld(seed);
      let model = fresh;
      for (let round = 0; round < 4; round++) model = await runUntilCrash(world, model);
    }
  });

  it("survives a crash at any moment of making the log", async () => {
    for (let seed = 0; seed < 100; seed++) {
      const world = createSimWorld(seed);
      const machine = world.machine("m");
      for (let round = 0; round < 3; round++) {
        const opening = open(machine.startProcess());
        opening.catch(() => undefined);
        await world.runFor(world.random.fraction() * 8);
        machine.powerCut();
      }
      const { store } = await world.settle(open(machine.startProcess()), 1e6);
      expect(await world.settle(readModel(store), 1e6)).toEqual(fresh);
    }
  });
});

describe("file log store with a bad disk", () => {
  const one = { append: [makeEntry(1, 1)], hardState: makeHardState(1, 1, 0), mustSync: true };
  const two = { append: [makeEntry(2, 1)], mustSync: true };

  it("has failed for ever after one failed sync, and what comes after is refused", async () => {
    const world = createSimWorld(1);
    const machine = world.machine("m");
    const { store } = await world.settle(open(machine.startProcess()), 1e6);
    await world.settle(store.append(one), 1e6);
    machine.disk.failingSyncCount = 1;
    const failing = Promise.allSettled([store.append(two), store.append({ ...two, append: [makeEntry(3, 1)] })]);
    for (const outcome of await world.settle(failing, 1e6))
      expect(outcome).toMatchObject({ status: "rejected", reason: { kind: "diskFailed" } });
    expect(await store.append(two).catch((error: unknown) => isHoldfastError(error, "diskFailed"))).toBe(true);
    await world.settle(store.close(), 1e6);
  });

  it("keeps what it found at its start, though the sync of the process before had failed and power is cut later", async () => {
    let foundCount = 0;
    for (let seed = 0; seed < 60; seed++) {
      const world = createSimWorld(seed);
      const machine = world.machine("m");
      const process = machine.startProcess();
      const { store } = await world.settle(open(process), 1e6);
      await world.settle(store.append(one), 1e6);
      machine.disk.failingSyncCount = 1;
      await world.settle(Promise.allSettled([store.append(two)]), 1e6);
      process.crash();
      // The kernel shows the pages of the failed sync as if they were stored.
      const second = machine.startProcess();
      const { boot } = (await world.settle(open(second), 1e6)).store;
      if (boot.lastIndex === 2) foundCount++;
      machine.powerCut();
      const third = await world.settle(open(machine.startProcess()), 1e6);
      expect(third.store.boot.lastIndex, "what a start told others of is there at the next").toBe(boot.lastIndex);
    }
    expect(foundCount).toBeGreaterThan(30);
  });

  it("says that the disk is full", async () => {
    const world = createSimWorld(1);
    const machine = world.machine("m", { capacityBytes: 4000 });
    const { store } = await world.settle(open(machine.startProcess()), 1e6);
    const large = { append: [makeEntry(1, 1, 5000)], mustSync: true };
    const failure = await world.settle(
      store.append(large).catch((error: unknown) => error),
      1e6,
    );
    expect(failure).toMatchObject({ kind: "noSpace" });
  });

  it("reports damage before the tail and changes nothing", async () => {
    const world = createSimWorld(1);
    const machine = world.machine("m");
    const { store } = await world.settle(open(machine.startProcess()), 1e6);
    await world.settle(store.append(one), 1e6);
    await world.settle(store.append(two), 1e6);
    await world.settle(store.close(), 1e6);
    machine.disk.corrupt("/raft/log-0000000000000001", 700);
    const sizeBefore = machine.disk.data.file("/raft/log-0000000000000001").sizeBytes;
    const failure = await world.settle(
      open(machine.startProcess()).catch((error: unknown) => error),
      1e6,
    );
    expect(failure).toMatchObject({ kind: "dataLoss" });
    expect(failure).toBeInstanceOf(HoldfastError);
    expect(machine.disk.data.file("/raft/log-0000000000000001").sizeBytes).toBe(sizeBefore);
  });

  it("reports an entry that rotted after opening instead of handing it out", async () => {
    const world = createSimWorld(1);
    const machine = world.machine("m");
    const { store } = await world.settle(open(machine.startProcess()), 1e6);
    await world.settle(store.append(one), 1e6);
    const size = machine.disk.data.file("/raft/log-0000000000000001").sizeBytes;
    machine.disk.corrupt("/raft/log-0000000000000001", size - 10);
    const range = { fromIndex: 1 as LogIndex, toIndex: 1 as LogIndex, bytesMax: 1000 };
    expect(
      await world.settle(
        store.read(range).catch((error: unknown) => error),
        1e6,
      ),
    ).toMatchObject({ kind: "dataLoss" });
  });

  it("refuses a missing segment and a lost identity", async () => {
    const world = createSimWorld(1);
    const machine = world.machine("m");
    const { store } = await world.settle(open(machine.startProcess(), { segmentBytesMax: 600 }), 1e6);
    for (let index = 1; index <= 9; index++)
      await world.settle(store.append({ append: [makeEntry(index, 1)], mustSync: true }), 1e6);
    await world.settle(store.close(), 1e6);
    machine.disk.data.remove("/raft/log-0000000000000002");
    const gap = await world.settle(
      open(machine.startProcess()).catch((error: unknown) => error),
      1e6,
    );
    expect(gap).toMatchObject({ kind: "dataLoss", message: expect.stringContaining("segment 2 is missing") });
    machine.disk.data.remove("/raft/identity");
    expect(
      await world.settle(
        open(machine.startProcess()).catch((error: unknown) => error),
        1e6,
      ),
    ).toMatchObject({ kind: "dataLoss" });
  });

  it("refuses another cluster's and another peer's directory", async () => {
    const world = createSimWorld(1);
    const machine = world.machine("m");
    const { store, isNew, incarnation } = await world.settle(open(machine.startProcess()), 1e6);
    expect(isNew).toBe(true);
    await world.settle(store.close(), 1e6);
    for (const over of [{ clusterId: "other" }, { peer: 2 }]) {
      expect(
        await world.settle(
          open(machine.startProcess(), over).catch((error: unknown) => error),
          1e6,
        ),
      ).toMatchObject({ kind: "wrongCluster" });
    }
    const again = await world.settle(open(machine.startProcess()), 1e6);
    expect(again).toMatchObject({ isNew: false, incarnation });
  });

  it("lets one process at a time have it, and the next one after that one's end", async () => {
    const world = createSimWorld(1);
    const machine = world.machine("m");
    const holder = machine.startProcess();
    const { store } = await world.settle(open(holder), 1e6);
    expect(
      await world.settle(
        open(machine.startProcess()).catch((error: unknown) => error),
        1e6,
      ),
    ).toMatchObject({ kind: "precondition" });
    await world.settle(store.close(), 1e6);
    await world.settle(open(holder), 1e6);
    holder.crash();
    await world.settle(open(machine.startProcess()), 1e6);
  });

  it("gives space back when segments are no longer needed", async () => {
    const world = createSimWorld(1);
    const machine = world.machine("m");
    const { store } = await world.settle(open(machine.startProcess(), { segmentBytesMax: 2000 }), 1e6);
    for (let index = 1; index <= 100; index++)
      await world.settle(store.append({ append: [makeEntry(index, 1)], mustSync: true }), 1e6);
    const before = machine.disk.data.list("/raft").length;
    await world.settle(
      store.compact({ index: 95 as LogIndex, term: 1 as Term, membership: contractFounding.membership }),
      1e6,
    );
    expect(before).toBeGreaterThan(5);
    expect(machine.disk.data.list("/raft").length).toBeLessThan(4);
  });
});
