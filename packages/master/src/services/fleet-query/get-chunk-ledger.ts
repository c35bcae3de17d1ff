import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import {
  GetChunkLedgerResponseSchema,
  LedgerEntrySchema,
  type GetChunkLedgerRequest,
  type GetChunkLedgerResponse,
  type LedgerEntry,
} from "@holdfast/proto/fleet/v1/fleet";
import { chunkTable } from "../../domain/chunks/tables.ts";
import {
  arrivalsRing,
  ledgerKinds,
  removalsRing,
  type LedgerFact,
  type LedgerRing,
  type LedgerRow,
} from "../../projections/chunk-ledger.ts";
import { tableRange } from "../../projections/table-range.ts";
import { requestInteger } from "../../wire/request.ts";
import type { FleetRead } from "./fleet-read.ts";

/** Entries of one answer. */
const entriesMax = 200;

/** Why copies of a chunk came and went. Errors: `notFound`, `invalidArgument`, `cancelled`. */
export async function getChunkLedger(request: GetChunkLedgerRequest, read: FleetRead): Promise<GetChunkLedgerResponse> {
  const chunkId = requestInteger(request.chunkId, "chunk_id");
  const found = [
    ...(await readRing(arrivalsRing, chunkId, read)),
    ...(await readRing(removalsRing, chunkId, read)),
  ].toSorted((left, right) => Number(left.index - right.index));
  const row = read.tables.get(chunkTable, [chunkId]);
  if (found.length === 0 && row === undefined) {
    throw new HoldfastError("notFound", `Nothing is known of a chunk ${chunkId}, or it is too long ago.`);
  }
  return create(GetChunkLedgerResponseSchema, {
    entries: found.slice(-entriesMax),
    placedNodeIds: [...(row?.placedNodeIds ?? [])],
    confirmedNodeIds: [...(row?.confirmedNodeIds ?? [])],
  });
}

/** Reads a whole ring: an administrator's rare question, so nothing is kept by chunk for it. */
async function readRing(ring: LedgerRing, chunkId: number, { store, signal }: FleetRead): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  for await (const [, row] of tableRange(store, ring.rows)) {
    signal.throwIfAborted();
    for (const fact of row.facts) if (fact.chunkIds.includes(chunkId)) entries.push(...entriesOf(row, fact));
  }
  return entries;
}

function entriesOf({ index, atMs, actor }: LedgerRow, fact: LedgerFact): readonly LedgerEntry[] {
  return fact.nodeIds.map((nodeId) =>
    create(LedgerEntrySchema, {
      index: BigInt(index),
      atMs: BigInt(atMs),
      kind: ledgerKinds[fact.kind] ?? "",
      ...{ nodeId, actor, reason: fact.reason },
      evidenceNodeIds: [...fact.evidenceNodeIds],
      term: BigInt(fact.term),
    }),
  );
}
