import { createRecordingLogger } from "@holdfast/observability";
import type { CommittedEntry, LogIndex } from "@holdfast/raft";
import { createMemoryStore } from "@holdfast/runtime/sim";
import { describe, expect, it } from "vitest";
import type { DomainEvent } from "../domain/events.ts";
import { entryTable } from "../domain/namespace/state.ts";
import { readerOf } from "../domain/tables.ts";
import { encodeBatch } from "../event-codec/event-codec.ts";
import { eventLogProjection, listBatches, listedBatchesMax } from "../projections/event-log.ts";
import { ProjectionsStateMachine } from "./state-machine.ts";

const noBytes = new Uint8Array(0);
const account: DomainEvent = {
  kind: "userCreated",
  userId: 1,
  email: "a@b",
  passwordHash: "$x$y",
  isAdmin: false,
  rootEntryId: 1,
  phone: "",
  channels: [],
};

function folder(entryId: number): DomainEvent {
  return { kind: "folderCreated", entryId, parentId: 1, name: `f${entryId}`, ownerId: 1 };
}

function entry(
  index: number,
  events: readonly DomainEvent[],
  change: { sequence?: number; term?: number } = {},
): CommittedEntry {
  const batch = {
    requestId: `r${index}`,
    actor: "user:1",
    atMs: 1000 + index,
    events,
    outcome: noBytes,
    sequence: change.sequence ?? index,
  };
  return { index, term: change.term ?? 1, data: encodeBatch(batch) } as unknown as CommittedEntry;
}

function open(store = createMemoryStore()): ProjectionsStateMachine {
  return new ProjectionsStateMachine({ store, logger: createRecordingLogger(), projections: [eventLogProjection] });
}

const at = (index: number): LogIndex => index as LogIndex;

describe("state machine", () => {
  it("goes on where the store stands", async () => {
    const store = createMemoryStore();
    const first = open(store);
    await first.apply([entry(1, [account]), entry(2, [folder(2)])], at(3));
    await first.flush();
    const second = open(store);
    expect(second.appliedIndex()).toBe(3);
    expect(second.foldedState().stateHash).toEqual(first.foldedState().stateHash);
    await second.apply([entry(4, [folder(3)], { sequence: 3 })], at(4));
    expect(readerOf(store).get(entryTable, [1])?.childCount).toBe(2);
  });

  it("counts entries without application data as applied", async () => {
    const machine = open();
    await machine.apply([], at(7));
    expect(machine.appliedIndex()).toBe(7);
  });

  it("has the same hash wherever calls begin and end, and another one for another history", async () => {
    const entries = [
      entry(1, [account]),
      ...Array.from({ length: 600 }, (_, position) => entry(position + 2, [folder(position + 2)])),
    ];
    const [whole, pieces, other] = [open(), open(), open()];
    await whole.apply(entries, at(601));
    for (let start = 0; start < entries.length; start += 7) {
      await pieces.apply(entries.slice(start, start + 7), at(Math.min(601, start + 7)));
    }
    expect(pieces.foldedState().stateHash).toEqual(whole.foldedState().stateHash);
    await other.apply([entry(1, [account]), entry(2, [folder(3)])], at(2));
    expect(other.foldedState().stateHash).not.toEqual(whole.foldedState().stateHash);
  });

  it("tells listeners of every batch with the tables as they are right after it", async () => {
    const machine = open();
    const seen: unknown[] = [];
    const stop = machine.onApplied(({ index, events, tables }) => {
      seen.push([index, events.map((event) => event.kind), tables.get(entryTable, [1])?.childCount]);
    });
    await machine.apply([entry(1, [account]), entry(2, [folder(2)]), entry(3, [folder(3)])], at(3));
    stop();
    await machine.apply([entry(4, [folder(4)])], at(4));
    expect(seen).toEqual([
      [1, ["userCreated"], 0],
      [2, ["folderCreated"], 1],
      [3, ["folderCreated"], 2],
    ]);
  });

  it("voids a batch whose predecessor is missing, and all behind it in its term", async () => {
    const store = createMemoryStore();
    const machine = open(store);
    const void3 = entry(2, [folder(2)], { sequence: 3 });
    const void4 = entry(3, [folder(3)], { sequence: 4 });
    await machine.apply([entry(1, [account]), void3, void4, entry(4, [folder(2)], { sequence: 2 })], at(4));
    expect([1, 2, 3, 4].map((index) => machine.isVoid(index))).toEqual([false, true, true, false]);
    expect(readerOf(store).get(entryTable, [2])?.revision).toBe(4);
    await machine.apply(
      [entry(5, [folder(3)], { term: 2, sequence: 2 }), entry(6, [folder(3)], { term: 2, sequence: 1 })],
      at(6),
    );
    expect([5, 6].map((index) => machine.isVoid(index))).toEqual([true, false]);
  });

  it("halts at what it can't read and keeps what it had", async () => {
    const store = createMemoryStore();
    const machine = open(store);
    await machine.apply([entry(1, [account])], at(1));
    const broken = { index: 2, term: 1, data: Uint8Array.of(255) } as unknown as CommittedEntry;
    await expect(machine.apply([broken], at(2))).rejects.toThrowError(/can't be read/);
    expect(open(store).appliedIndex()).toBe(1);
  });

  it("halts when an event contradicts the tables", async () => {
    const machine = open();
    await expect(
      machine.apply([entry(1, [account, { kind: "entryPurged", entryId: 99 }])], at(1)),
    ).rejects.toThrowError(/invariant/);
  });
});

describe("event log", () => {
  it("keeps the last ten thousand batches", async () => {
    const store = createMemoryStore();
    const machine = open(store);
    const batches = Array.from({ length: listedBatchesMax + 5 }, (_, position) =>
      entry(position + 1, [{ kind: "setupTokenIssued", tokenSha256: noBytes, expiresAtMs: 1 }]),
    );
    await machine.apply(batches, at(batches.length));
    const tables = readerOf(store);
    const all = listBatches(tables, { beforeIndex: 0, eventsMin: 20_000 });
    expect([all.length, all[0]?.index, all.at(-1)?.index]).toEqual([listedBatchesMax, listedBatchesMax + 5, 6]);
    expect(listBatches(tables, { beforeIndex: 8, eventsMin: 10 }).map((batch) => batch.index)).toEqual([7, 6]);
    expect(listBatches(tables, { beforeIndex: 3, eventsMin: 10 })).toEqual([]);
  });
});
