import type { FinderName } from "./finders.ts";

/** A bug that some Raft once had, which can be planted into ours. */
export interface PlantedBug {
  /** Name of the switch in the code: `isPlanted("...")`. */
  readonly name: string;
  /** What is wrong then. */
  readonly about: string;
  /** Who had it. */
  readonly seenIn: string;
  /** What `npm test` looks for it with: random runs, unless they need many seeds. */
  readonly finder: FinderName;
  /** What else is known to find it. */
  readonly also?: FinderName;
}

/** All of them. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: "commitEarlierTerm",
    about: "entries of earlier terms are committed by counting (figure 3.7)",
    seenIn: "LogCabin #44",
    finder: "random",
    also: "script",
  },
  {
    name: "quorumUnsorted",
    about: "the commit index is taken from an unsorted list",
    seenIn: "openraft #1802",
    finder: "random",
    also: "explore",
  },
  {
    name: "oldPreVoteIgnored",
    about: "a pre-vote of a lower term gets no answer: long log against high term, for ever",
    seenIn: "etcd #8501, canonical #142, redpanda #2071, openraft #1796",
    finder: "script",
  },
  {
    name: "preVoteGrantInOwnTerm",
    about: "a granted pre-vote carries the voter's term",
    seenIn: "etcd d4471b2",
    finder: "random",
  },
  {
    name: "voteTwice",
    about: "a second candidate gets a vote in the same term",
    seenIn: "canonical #386 (two leaders in a term)",
    finder: "random",
    also: "explore",
  },
  {
    name: "voteNotStored",
    about: "the vote is not on disk, so a crash forgets it",
    seenIn: "liferaft",
    finder: "random",
    also: "explore",
  },
  {
    name: "leadsBeforeOwnVote",
    about:
      "a leader that others elected sends entries before its own term is on disk, crashes, and wins the term again",
    seenIn: "ours, found by a random run",
    finder: "random",
  },
  {
    name: "longerLogWins",
    about: "logs are compared by length and not by term first",
    seenIn: "liferaft",
    finder: "random",
    also: "script",
  },
  {
    name: "previousUnchecked",
    about: "entries are taken without a look at the one before them",
    seenIn: "liferaft",
    finder: "random",
  },
  {
    name: "everyAppendCuts",
    about: "an append that arrives late cuts off what came after it",
    seenIn: "Redis-Raft (Jepsen), many students",
    finder: "random",
  },
  {
    name: "commitBeyondAppend",
    about: "a follower commits entries that the leader did not vouch for",
    seenIn: "figure 3.1 misread; hashicorp/raft early",
    finder: "script",
  },
  {
    name: "heartbeatCommitTrusted",
    about: "a heartbeat commits what the follower's log does not share",
    seenIn: "etcd raft (why it caps the commit at match)",
    finder: "random",
  },
  {
    name: "earlierTermCounts",
    about: "messages of earlier terms count",
    seenIn: "Redis-Raft (Jepsen)",
    finder: "random",
    also: "script",
  },
  {
    name: "answerBeforeSync",
    about: "votes and acknowledgements leave before the fsync",
    seenIn: "etcd #14140, #14143, PR #8455",
    finder: "random",
    also: "explore",
  },
  {
    name: "leaderCountsUnsynced",
    about: "a leader counts itself before its own fsync",
    seenIn: "etcd #14370",
    finder: "random",
    also: "explore",
  },
  {
    name: "overwrittenWriteCounts",
    about: "a finished write counts although its place was overwritten meanwhile (ABA)",
    seenIn: "etcd raft async storage, openraft #1960",
    finder: "script",
  },
  {
    name: "readBeforeOwnCommit",
    about: "a read is served before the leader committed in its term",
    seenIn: "etcd #12680",
    finder: "random",
  },
  {
    name: "anyAnswerConfirms",
    about: "an answer to an earlier round confirms a later read",
    seenIn: "etcd #20418",
    finder: "script",
  },
  {
    name: "leaseOutlivesHandover",
    about: "reads are served from a lease after a hand-over was ordered",
    seenIn: "etcd raft #99, openraft #1747",
    finder: "script",
  },
  {
    name: "leaseFromAnswer",
    about: "a lease counts from the answer's arrival instead of the round's start",
    seenIn: "etcd raft #166 (leases longer than the followers' patience)",
    finder: "script",
  },
  {
    name: "leaseTooLong",
    about: "a lease lasts four times as long as followers are loyal",
    seenIn: "etcd raft #166",
    finder: "random",
    also: "vopr",
  },
  {
    name: "leaseByTicks",
    about: "a lease is over when enough ticks were counted, however late they come after a pause",
    seenIn: "every lease that is counted in ticks",
    finder: "vopr",
  },
  {
    name: "loyaltyForgotten",
    about: "who has just started votes although it may have promised to follow a leader that reads on a lease",
    seenIn: "§6.4.1 read carelessly",
    finder: "script",
  },
  {
    name: "learnerRefusesVote",
    about: "who thinks that it is no voter refuses its vote",
    seenIn: "etcd #10998, Camunda #57386",
    finder: "random",
    also: "script",
  },
  {
    name: "commitUnknownToVoters",
    about: "nobody can win while only the short logs know that a change is committed",
    seenIn: "etcd #12359",
    finder: "script",
  },
  {
    name: "changeBeforeOwnCommit",
    about: "a new leader changes the membership before it knows the last change",
    seenIn: "raft-dev 2015, braft #182, copycat #23",
    finder: "random",
    also: "script",
  },
  {
    name: "changesOverlap",
    about: "a second membership change begins before the first is in force",
    seenIn: "raft-dev 2015",
    finder: "random",
    also: "script",
  },
  {
    name: "jointForgottenBySnapshot",
    about: "a snapshot forgets that the configuration is joint",
    seenIn: "etcd e515a67",
    finder: "random",
    also: "script",
  },
  {
    name: "membershipSurvivesSnapshot",
    about: "the old membership survives the installation of a snapshot",
    seenIn: "openraft #1808",
    finder: "random",
    also: "script",
  },
  {
    name: "blankMemberBuilds",
    about: "a member without the founding membership builds on the log's first entries",
    seenIn: "ours, found by a random run",
    finder: "random",
  },
  {
    name: "applySkipsRest",
    about: "entries that a size limit cut off are never applied",
    seenIn: "etcd 8ecce32",
    finder: "random",
  },
  {
    name: "uncommittedNeverFreed",
    about: "the uncommitted size never shrinks: in the end every proposal is refused",
    seenIn: "etcd a370b6f",
    finder: "random",
    also: "script",
  },
  {
    name: "inflightBytesNeverFreed",
    about: "the window of bytes in flight never empties",
    seenIn: "etcd e419ba5",
    finder: "random",
  },
  {
    name: "snapshotNeverEnds",
    about: "a follower never leaves the snapshot state",
    seenIn: "etcd #10308, dgraph #2707",
    finder: "random",
  },
  {
    name: "overwrittenIsCommitted",
    about: "an overwritten proposal is told committed",
    seenIn: "Redis-Raft (Jepsen)",
    finder: "random",
  },
  {
    name: "proposalsVanish",
    about: "a proposal of a lost leadership is never answered",
    seenIn: "etcd (dropped without an error)",
    finder: "random",
  },
  {
    name: "stalledLeaderStays",
    about: "a leader whose disk hangs goes on heartbeating",
    seenIn: "hashicorp #503, CockroachDB #41764",
    finder: "random",
    also: "script",
  },
  {
    name: "lonelyLeaderStays",
    about: "a leader that reaches no majority goes on",
    seenIn: "dissertation §6.2; etcd before check-quorum",
    finder: "random",
    also: "script",
  },
  {
    name: "transferNeverEnds",
    about: "a hand-over that fails blocks proposals for ever",
    seenIn: "etcd (why transfers time out)",
    finder: "random",
    also: "script",
  },
  {
    name: "lostEntriesAcknowledged",
    about: "a follower acknowledges entries behind some that its disk lost",
    seenIn: "FAST '18 (LogCabin, ZooKeeper: a damaged log is cut off or crashes)",
    finder: "random",
  },
  {
    name: "repairUnverified",
    about: "a leader's entries take the place of lost ones although its log goes on differently",
    seenIn: "nobody: the trap in filling a gap",
    finder: "random",
  },
];

/** Must always be found at once; if it is not, the bank proves nothing. */
export const canary: PlantedBug = {
  name: "canary",
  about: "an invariant that always fails",
  seenIn: "nobody: proves that the bank can see",
  finder: "random",
};
