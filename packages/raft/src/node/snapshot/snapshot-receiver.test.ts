import { crc32 } from "node:zlib";
import { create } from "@bufbuild/protobuf";
import { silentLogger } from "@holdfast/observability";
import {
  InstallSnapshotRequestSchema,
  OfferSnapshotRequestSchema,
  type InstallSnapshotRequest,
  type OfferSnapshotRequest,
} from "@holdfast/proto/raft/v1/raft";
import { createSimWorld } from "@holdfast/runtime/sim";
import { describe, expect, it } from "vitest";
import { RecordingStateMachine } from "../../../test/sim-cluster.ts";
import type { LogIndex, PeerId, Term } from "../../core/types.ts";
import { encodePosition } from "../../transport/position-codec.ts";
import { chainOf } from "./snapshot-chain.ts";
import { SnapshotReceiver } from "./snapshot-receiver.ts";

function offerOf(id: number, index: number): OfferSnapshotRequest {
  const membership = {
    voters: [1, 2] as PeerId[],
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  };
  const meta = { index: index as LogIndex, term: 1 as Term, membership, context: new Uint8Array(0) };
  const snapshotId = new Uint8Array(16).fill(id);
  return create(OfferSnapshotRequestSchema, {
    ...{ clusterId: "c", from: 1, to: 2, term: 1n, snapshotId },
    position: encodePosition(meta),
  });
}

async function* piecesOf(id: number): AsyncGenerator<InstallSnapshotRequest> {
  const data = new TextEncoder().encode("[]");
  const snapshotId = new Uint8Array(16).fill(id);
  const chain = chainOf(new Uint8Array(0), data);
  yield create(InstallSnapshotRequestSchema, { snapshotId, piece: 0, data, chain, crc32: crc32(data) });
  yield create(InstallSnapshotRequestSchema, { snapshotId, piece: 1, chain, isLast: true });
}

describe("the receiver of snapshots", () => {
  it("begins no other state while one is put in its place: there is room for one", async () => {
    const { timers } = createSimWorld(1).machine("m").startProcess();
    const put = Promise.withResolvers<boolean>();
    const handedOver = Promise.withResolvers<void>();
    const receiver = new SnapshotReceiver({
      ...{
        stateMachine: new RecordingStateMachine(10),
        timers,
        logger: silentLogger,
        clusterId: "c",
        self: 2 as PeerId,
      },
      position: () => ({ term: 1 as Term, commitIndex: 3 as LogIndex }),
      keptMs: 1000,
      onWhole: () => {
        handedOver.resolve();
        return put.promise;
      },
    });
    expect(await receiver.offerSnapshot(offerOf(1, 10))).toMatchObject({ isWanted: true });
    const installed = receiver.installSnapshot(piecesOf(1));
    await handedOver.promise;
    for (const id of [1, 2])
      await expect(receiver.offerSnapshot(offerOf(id, 20))).rejects.toMatchObject({ kind: "unavailable" });
    put.resolve(true);
    expect(await installed).toMatchObject({ isInstalled: true });
    expect(await receiver.offerSnapshot(offerOf(2, 20))).toMatchObject({ isWanted: true });
    await receiver.stop();
  });
});
