import { createSimWorld } from "@holdfast/runtime/sim";
import { describe, expect, it } from "vitest";
import { emptyMembership } from "../core/entries.ts";
import type { AppendRequest } from "../core/messages.ts";
import type { PersistOrder } from "../core/output.ts";
import type { LogIndex, PeerId, Term } from "../core/types.ts";
import { makeEntries } from "../log-store/log-store.contract.ts";
import { MemoryLog, MemoryLogStore } from "../log-store/memory-log-store.ts";
import { LogWriter } from "./log-writer.ts";
import { SnapshotInstaller } from "./snapshot/snapshot-installer.ts";

function start() {
  const world = createSimWorld("log writer");
  const log = new MemoryLog();
  const start = { index: 0 as LogIndex, term: 0 as Term, membership: emptyMembership };
  const installer = new SnapshotInstaller({
    announce: () => undefined,
    quiesce: async () => undefined,
    intend: async () => undefined,
    commitIndex: () => 0 as LogIndex,
  });
  const { timers } = world.machine("m").startProcess();
  const store = new MemoryLogStore(log, start);
  const writer = new LogWriter({
    store,
    timers,
    installer,
    takePromises: () => undefined,
    onInstalled: () => undefined,
  });
  const written = (): (number | undefined)[] => log.changes.map(({ entries }) => entries[0]?.index);
  return { world, writer, written };
}

const order = (index: number): PersistOrder => ({
  token: index,
  append: makeEntries(index, index, 1),
  mustSync: true,
});

const append = (index: number): AppendRequest => ({
  kind: "appendRequest",
  ...{ from: 1 as PeerId, to: 2 as PeerId, term: 1 as Term, commit: 0 as LogIndex },
  previous: { term: 1 as Term, index: (index - 1) as LogIndex },
  entries: makeEntries(index, index, 1),
});

describe("LogWriter", () => {
  it("writes behind what is sent in the same turn, and everything in order", async () => {
    const { world, writer, written } = start();
    const done: number[] = [];
    await writer.write(order(1));
    const writes = [writer.write(order(2), [append(2)]), writer.write(order(3)), writer.write(order(4), [append(4)])];
    for (const [position, write] of writes.entries()) void write.then(() => done.push(position + 2));
    for (let step = 0; step < 20; step++) await Promise.resolve();
    expect(written()).toEqual([1]);
    await world.runFor(1);
    expect(written()).toEqual([1, 2, 3, 4]);
    expect(done).toEqual([2, 3, 4]);
    await writer.write(order(5), [{ ...append(5), entries: [] }]);
    expect(written()).toEqual([1, 2, 3, 4, 5]);
  });

  it("begins what waits before it ends", async () => {
    const { world, writer, written } = start();
    const write = writer.write(order(1), [append(1)]);
    await writer.settled();
    await write;
    expect(written()).toEqual([1]);
    await world.runFor(1);
    expect(written()).toEqual([1]);
  });
});
