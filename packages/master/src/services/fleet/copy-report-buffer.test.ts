import { HoldfastError } from "@holdfast/base";
import { silentLogger } from "@holdfast/observability";
import { createSimWorld } from "@holdfast/runtime/sim";
import { describe, expect, test } from "vitest";
import type { Submission } from "../../application/submission.ts";
import { MemoryTables } from "../../domain/chunks/testing/memory-tables.ts";
import { chunkTable, type ChunkRow } from "../../domain/chunks/tables.ts";
import type { DomainEvent } from "../../domain/events.ts";
import { CopyReportBuffer } from "./copy-report-buffer.ts";

const chunk: ChunkRow = {
  ...{
    generation: 1,
    lengthBytes: 10,
    sha256: new Uint8Array(32),
    placedNodeIds: [1, 2, 3],
    confirmedNodeIds: [2],
    corruptNodeIds: [],
  },
  ...{ holderUploadId: "", holderEntryId: 7, holderVersionId: 1 },
};
const copy = (chunkId: number): { chunkId: number; generation: number; lengthBytes: number } => ({
  chunkId,
  generation: 1,
  lengthBytes: 10,
});

function bufferOf(chunkCount: number): {
  buffer: CopyReportBuffer;
  world: ReturnType<typeof createSimWorld>;
  batches: DomainEvent[][];
  refusals: HoldfastError[];
} {
  const world = createSimWorld(1);
  const { timers } = world.machine("m").startProcess();
  const memory = new MemoryTables();
  for (let chunkId = 1; chunkId <= chunkCount; chunkId++) memory.tables.set(chunkTable, [chunkId], chunk);
  const batches: DomainEvent[][] = [];
  const refusals: HoldfastError[] = [];
  const submit = async (submission: Submission) => {
    const refusal = refusals.shift();
    if (refusal !== undefined) throw refusal;
    const decided = submission.decide(memory.tables, {
      atMs: 1,
      term: 1,
      actor: submission.actor,
      writeCopiesMin: 2,
      nodes: new Map(),
    });
    if (decided.ok) batches.push([...decided.value.events]);
    return { index: 1, outcome: {}, events: [] };
  };
  const buffer = new CopyReportBuffer({ nodeId: 1, submitter: { submit }, timers, logger: silentLogger });
  return { buffer, world, batches, refusals };
}

describe("CopyReportBuffer", () => {
  test("what was said of a copy before it was found missing does not count; that it is damaged does", async () => {
    const { buffer, world, batches } = bufferOf(4);
    buffer.note("added", copy(1));
    buffer.note("held", copy(2));
    buffer.note("listed", copy(3));
    buffer.note("added", copy(4));
    buffer.forget([1, 2, 3, 99]);
    await world.runFor(1000);
    expect(batches).toMatchObject([[{ kind: "replicaConfirmed", chunkIds: [4] }]]);
    buffer.note("corrupt", copy(1));
    buffer.forget([1]);
    await world.runFor(1000);
    expect(batches.at(-1)).toMatchObject([{ kind: "replicaLost", chunkIds: [1] }]);
  });

  test("many words become one commit after a moment; the last word about a copy counts, a listing never overwrites", async () => {
    const { buffer, world, batches } = bufferOf(4);
    for (const chunkId of [1, 2, 3, 4]) buffer.note("added", copy(chunkId));
    buffer.note("corrupt", copy(3));
    buffer.note("missing", copy(4));
    await world.runFor(150);
    expect(batches).toEqual([]);
    await world.runFor(100);
    expect(batches).toEqual([
      [
        { kind: "replicaConfirmed", chunkIds: [1, 2, 4], nodeId: 1 },
        { kind: "replicaLost", chunkIds: [3], nodeId: 1, reason: "corrupt", drillId: 0 },
      ],
    ]);
  });

  test("what could not be committed is tried again; a newer word wins over the one that failed", async () => {
    const { buffer, world, batches, refusals } = bufferOf(2);
    refusals.push(new HoldfastError("tooBusy", "busy"));
    buffer.note("added", copy(1));
    buffer.note("added", copy(2));
    let committedCount = 0;
    buffer.whenCommitted(() => (committedCount += 1));
    await world.runFor(300);
    expect([batches.length, committedCount]).toEqual([0, 0]);
    buffer.note("corrupt", copy(2));
    await world.runFor(3000);
    const kinds = batches.flat().map((event) => event.kind);
    expect(kinds.toSorted((left, right) => left.localeCompare(right))).toEqual(["replicaConfirmed", "replicaLost"]);
    expect(committedCount).toBe(1);
  });

  test("large reports are committed in bounded batches, one after another", async () => {
    const { buffer, world, batches } = bufferOf(10_000);
    for (let chunkId = 1; chunkId <= 10_000; chunkId++) buffer.note("added", copy(chunkId));
    await world.runFor(1000);
    const sizes = batches.flat().map((event) => (event.kind === "replicaConfirmed" ? event.chunkIds.length : 0));
    expect(sizes).toEqual([4096, 4096, 1808]);
  });

  test("after the end nothing is committed and nobody is called", async () => {
    const { buffer, world, batches } = bufferOf(1);
    buffer.note("added", copy(1));
    buffer.whenCommitted(() => batches.push([]));
    buffer.stop();
    await world.runFor(5000);
    expect(batches).toEqual([]);
  });
});
