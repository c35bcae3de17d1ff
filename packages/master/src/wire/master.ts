import { create } from "@bufbuild/protobuf";
import { MasterSchema, type Master } from "@holdfast/proto/model/v1/model";
import type { RaftStatus } from "@holdfast/raft";

/** A master as it sees itself. */
export function masterToWire(
  status: RaftStatus,
  self: { readonly id: number; readonly name: string; readonly address: string; readonly appliedIndex: number },
): Master {
  const isLearner = status.learners.includes(status.id) || status.standing !== "member";
  return create(MasterSchema, {
    masterId: self.id,
    name: self.name,
    role: status.role === "preCandidate" ? "candidate" : isLearner ? "learner" : status.role,
    term: BigInt(status.term),
    appliedIndex: BigInt(self.appliedIndex),
    commitIndex: BigInt(status.commitIndex),
    address: self.address,
    firstLogIndex: BigInt(status.firstIndex),
    lastLogIndex: BigInt(status.lastIndex),
    snapshotIndex: BigInt(status.snapshotIndex),
    isReceivingSnapshot: status.incoming !== undefined,
    snapshotPercent: status.incoming?.percent ?? 0,
    isLearner,
    standing: status.standing,
  });
}
