import { createMemoryStore } from "@holdfast/runtime/sim";
import { expect, test } from "vitest";
import { readProgress } from "../../application/fold-entry.ts";
import { WriteBuffer } from "../../application/write-buffer.ts";
import { copySetTable } from "../../domain/chunks/tables.ts";
import { evolve } from "../../domain/evolve.ts";
import type { DomainEvent } from "../../domain/events.ts";
import { readerOf, tablesOf } from "../../domain/tables.ts";
import { chunkIdsOf, entryIdOf, folderIdOf, nameOf } from "./fill-files.ts";
import { fillStore } from "./fill-store.ts";
import { ScaleCopies } from "./scale-copies.ts";
import { scaleChunkBytes, scaleNodeUuid, scaleSha256, scaleZone, type ScaleSize } from "./scale-size.ts";

const size: ScaleSize = { nodeCount: 15, chunkCount: 2145, chunksPerFile: 2, zoneCount: 4 };
const context = { index: 0, atMs: 0, actor: "bench" };
type Store = ReturnType<typeof createMemoryStore>;

async function fold(store: Store, events: readonly DomainEvent[]): Promise<void> {
  const buffer = new WriteBuffer(store);
  const tables = tablesOf(buffer);
  for (const event of events) evolve(tables, event, context);
  await store.write(buffer.changes());
}

function joins(): readonly DomainEvent[] {
  return Array.from({ length: size.nodeCount }, (_, index) => {
    const nodeId = index + 1;
    const names = { nodeUuid: scaleNodeUuid(nodeId), name: `node-${nodeId}`, address: `10.0.0.1:${nodeId}` };
    const place = { ip: "", mac: "", zone: scaleZone(nodeId, size.zoneCount), rack: "" };
    return { kind: "nodeJoined", nodeId, ...names, ...place, capacityBytes: 1, joinTokenId: 0 };
  });
}

/** The events of a cluster's life that `fillStore` stands for. */
function life(): readonly DomainEvent[] {
  const files = { ownerId: 1, count: 1073, size, firstFolderId: 2, context };
  const copies = new ScaleCopies(size);
  const numbers = Array.from({ length: files.count }, (_, index) => index + 1);
  const user = { userId: 1, email: "scale@example.org", passwordHash: "$argon2id$x", isAdmin: false, rootEntryId: 1 };
  const folders = [1, 2].map((number): DomainEvent => {
    return { kind: "folderCreated", entryId: 1 + number, parentId: 1, name: `folder ${number}`, ownerId: 1 };
  });
  const chunks = numbers
    .flatMap((number) => chunkIdsOf(size, number))
    .map((chunkId) => ({ chunkId, nodeIds: copies.nodeIdsOf(chunkId) }));
  const content = numbers.flatMap((number): readonly DomainEvent[] => {
    const entryId = entryIdOf(files, number);
    const chunkIds = chunkIdsOf(size, number);
    const placed = chunkIds.map((chunkId): DomainEvent => {
      const bytes = { lengthBytes: scaleChunkBytes, sha256: scaleSha256(chunkId), generation: 1 };
      const nodeIds = copies.nodeIdsOf(chunkId);
      return { kind: "chunkPlaced", chunkId, ...bytes, nodeIds, confirmedNodeIds: nodeIds };
    });
    const content = { sizeBytes: chunkIds.length * scaleChunkBytes, sha256: scaleSha256(number), chunkIds };
    const version = { versionId: number, ...content, inlineContent: new Uint8Array(0) };
    return [
      { kind: "fileCreated", entryId, parentId: folderIdOf(files, number), name: nameOf(number), ownerId: 1 },
      ...placed,
      { kind: "versionCommitted", entryId, ...version },
    ];
  });
  return [
    { kind: "userCreated", ...user, phone: "", channels: [] },
    ...folders,
    { kind: "chunksGranted", grantId: 1, gateway: "bench", chunks, expiresAtMs: 1000 },
    ...content,
  ];
}

async function dump(store: Store): Promise<readonly string[]> {
  const rows: string[] = [];
  for await (const [key, value] of store.range({}))
    rows.push(`${Buffer.from(key).toString("hex")} ${Buffer.from(value).toString("hex")}`);
  return rows;
}

test("what is filled in row by row is what the events of that life leave", async () => {
  const filled = createMemoryStore();
  await fold(filled, joins());
  expect(readProgress(readerOf(filled)).appliedIndex).toBe(context.index);
  const { setCount } = await fillStore(filled, size);
  const folded = createMemoryStore();
  await fold(folded, [...joins(), ...life()]);
  const rows = await dump(filled);
  expect(rows).toEqual(await dump(folded));
  expect(rows.filter((row) => row.startsWith(copySetTable.tag.toString(16)))).toHaveLength(setCount);
});
