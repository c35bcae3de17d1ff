import { HoldfastError } from "@holdfast/base";
import type { Reply } from "../core/output.ts";
import type { LogIndex, PeerId } from "../core/types.ts";
import { notLeaderError } from "./reads.ts";

/** Where a peer listens. */
type AddressOf = (peer: PeerId) => string | undefined;

/** The index of a membership change in force, or why there is none. Errors: as `RaftNode.changeMembership`. */
export function indexOfChange(reply: Reply, addressOf: AddressOf): LogIndex {
  if (reply.kind === "committed") return reply.id.index;
  if (reply.kind === "notLeader") throw refusedByFollower(reply.leader, addressOf);
  if (reply.kind === "refused")
    throw new HoldfastError("precondition", `the membership was not changed: ${reply.reason}`);
  if (reply.kind === "overloaded")
    throw new HoldfastError("tooBusy", "the membership was not changed: the log is full; try again in a moment");
  throw new HoldfastError("unavailable", "leadership was lost: the membership may or may not change; look again");
}

/** Throws unless another member leads now. Errors: as `RaftNode.transferLeadership`. */
export function mustBeTransferred(reply: Reply, target: PeerId, addressOf: AddressOf): void {
  if (reply.kind === "transferred") return;
  if (reply.kind === "notLeader") throw refusedByFollower(reply.leader, addressOf);
  if (reply.kind === "refused") throw new HoldfastError("precondition", `leadership stays: ${reply.reason}`);
  throw new HoldfastError("unavailable", `member ${target} did not take over in time; look who leads now`);
}

/** The refusal of a member that does not lead, with the leader's address when it is known. */
export function refusedByFollower(leader: PeerId | undefined, addressOf: AddressOf): HoldfastError {
  return notLeaderError(leader === undefined ? undefined : addressOf(leader));
}

/** Why a node that does not run refuses what only a leader can do. */
export function notLeaderWhen(state: string): HoldfastError {
  return new HoldfastError("notLeader", `this master does not lead: it is ${state}`);
}
