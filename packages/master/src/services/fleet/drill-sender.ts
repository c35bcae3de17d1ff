import { create } from "@bufbuild/protobuf";
import { HeartbeatResponseSchema, type HeartbeatResponse } from "@holdfast/proto/master/v1/master";
import type { Clock, KeyValueStore } from "@holdfast/runtime";
import { readProgress } from "../../application/fold-entry.ts";
import { chunkTable } from "../../domain/chunks/tables.ts";
import { drillsOf, type DrillRow } from "../../domain/fleet/drills.ts";
import { readerOf, type TableReader } from "../../domain/tables.ts";
import { drillKindToWire } from "./drill-kind.ts";

/** What the sender works with. */
export interface DrillSenderOptions {
  readonly nodeId: number;
  /** The present term. */
  readonly term: number;
  readonly store: KeyValueStore;
  readonly clock: Clock;
  readonly send: (order: HeartbeatResponse) => void;
}

/** Tells a node which drills shall run on it, whenever what it says differs from what the log says. */
export class DrillSender {
  readonly #options: DrillSenderOptions;

  constructor(options: DrillSenderOptions) {
    this.#options = options;
  }

  /** After a report: an order that was lost goes out again. */
  compare(reportedIds: readonly number[]): void {
    const tables = readerOf(this.#options.store);
    const wanted = this.#running(tables);
    const isSame = wanted.length === reportedIds.length && wanted.every((drill) => reportedIds.includes(drill.drillId));
    if (!isSame) this.#send(tables, wanted);
  }

  /** After a drill of the node began or ended; `tables` as they are since then. */
  sendAll(tables: TableReader): void {
    this.#send(tables, this.#running(tables));
  }

  #running(tables: TableReader): readonly DrillRow[] {
    const nowMs = this.#nowMs(tables);
    return drillsOf(tables, this.#options.nodeId).filter((drill) => drill.endsAtMs > nowMs);
  }

  #send(tables: TableReader, running: readonly DrillRow[]): void {
    const { nodeId, term, send } = this.#options;
    const nowMs = this.#nowMs(tables);
    const drills = running.map((drill) => {
      const row = tables.get(chunkTable, [drill.chunkId]);
      const chunk =
        row === undefined
          ? {}
          : { chunk: { chunkId: BigInt(drill.chunkId), generation: row.generation, lengthBytes: row.lengthBytes } };
      return {
        drillId: BigInt(drill.drillId),
        kind: drillKindToWire(drill.drillKind),
        remainingMs: BigInt(drill.endsAtMs - nowMs),
        delayMs: drill.delayMs,
        ...chunk,
      };
    });
    const value = { drills, nodeId, term: BigInt(term) };
    send(create(HeartbeatResponseSchema, { order: { case: "drills", value } }));
  }

  /** Leader time, as near as it is known between two batches. */
  #nowMs(tables: TableReader): number {
    return Math.max(Math.floor(this.#options.clock.wallMs()), readProgress(tables).atMs);
  }
}
