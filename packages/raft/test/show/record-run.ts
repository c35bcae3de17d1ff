import type { Message } from "../../src/core/messages.ts";
import type { TestCluster } from "../../src/testing/cluster.ts";
import { runRandomly, type RandomStep } from "../../src/testing/random-run.ts";
import type { TestNode } from "../../src/testing/test-node.ts";

/** How a member stood after a step. */
export interface ShownMember {
  readonly id: number;
  /** `down` while it is crashed. */
  readonly role: string;
  readonly term: number;
  readonly leader: number;
  readonly commit: number;
  readonly applied: number;
  readonly durable: number;
  /** First entry that is not compacted. */
  readonly first: number;
  /** Terms of the entries from `first` on, and what each holds. */
  readonly log: readonly (readonly [term: number, text: string])[];
  readonly votes: string;
}

/** One step, with the members that it changed. */
export interface ShownStep {
  readonly round: number;
  readonly what: string;
  readonly member?: number;
  readonly message?: {
    readonly from: number;
    readonly to: number;
    readonly kind: string;
    readonly term: number;
    readonly text: string;
  };
  readonly changed: readonly ShownMember[];
  /** Messages on their way afterwards. */
  readonly flying: number;
}

/** A run to be looked at. */
export interface ShownRun {
  readonly seed: number;
  readonly members: number;
  readonly steps: readonly ShownStep[];
  /** The broken promise that ended it, if one did. */
  readonly failure: string | undefined;
}

/** Runs a seed of the random runs and writes down what happens, until `stepsMax`. */
export function recordRun(seed: number, options: { rounds: number; stepsMax: number }): ShownRun {
  const steps: ShownStep[] = [];
  const known = new Map<number, string>();
  let members = 0;
  const onStep = (step: RandomStep, cluster: TestCluster): void => {
    members = cluster.nodes.size;
    if (steps.length >= options.stepsMax) return;
    const changed = [...cluster.nodes.values()].map(showMember).filter((member) => {
      const text = JSON.stringify(member);
      if (known.get(member.id) === text) return false;
      known.set(member.id, text);
      return true;
    });
    // A tick that only counts is not worth a line.
    if (step.what === "tick" && changed.length === 0) return;
    steps.push({
      round: step.round,
      what: step.what,
      ...(step.member === undefined ? {} : { member: step.member }),
      ...(step.message === undefined ? {} : { message: showMessage(step.message) }),
      changed,
      flying: cluster.messages.length,
    });
  };
  let failure: string | undefined;
  try {
    runRandomly({ seed, rounds: options.rounds, hasMembershipChanges: seed % 2 === 0, onStep });
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  return { seed, members, steps, failure };
}

function showMember(node: TestNode): ShownMember {
  const { id, disk } = node;
  const inMemory = new Map(disk.entries.map((entry) => [entry.index as number, entry]));
  const view = node.core?.view();
  for (const { order } of node.pendingPersists) {
    for (const entry of order.append) inMemory.set(entry.index, entry);
  }
  const last = view?.lastIndex ?? Math.max(disk.logStart.index, ...inMemory.keys());
  const first = disk.logStart.index + 1;
  const log = Array.from({ length: Math.max(0, last - first + 1) }, (_, place) => {
    const entry = inMemory.get(first + place);
    if (entry === undefined) return [0, "?"] as const;
    const { payload } = entry;
    const text = payload.kind === "application" ? String.fromCharCode(...payload.data) : payload.kind;
    return [entry.term, text] as const;
  });
  return {
    id,
    role: view === undefined ? "down" : view.isLearner ? "learner" : view.role,
    term: view?.term ?? disk.hardState.term,
    leader: view?.leader ?? 0,
    commit: view?.commitIndex ?? 0,
    applied: view?.appliedIndex ?? 0,
    durable: view?.durableIndex ?? last,
    first,
    log,
    votes: (view?.membership.voters ?? disk.logStart.membership.voters).join(" "),
  };
}

function showMessage(message: Message): NonNullable<ShownStep["message"]> {
  const { from, to, term, kind } = message;
  return { from, to, term, kind, text: describe(message) };
}

function describe(message: Message): string {
  switch (message.kind) {
    case "voteRequest":
      return `${message.isPreVote ? "would you vote" : "vote"} for me? my log ends at ${message.last.term}/${message.last.index}`;
    case "voteResponse":
      return `${message.isPreVote ? "would vote: " : ""}${message.isRejected ? "no" : "yes"}`;
    case "appendRequest":
      return `after ${message.previous.term}/${message.previous.index}: ${message.entries.length} entries, commit ${message.commit}`;
    case "appendResponse":
      return message.hint === undefined
        ? `I have up to ${message.index}`
        : `not after ${message.index}; try ${message.hint.index}`;
    case "heartbeatRequest":
      return `round ${message.round}, commit ${message.commit.index}`;
    case "heartbeatResponse":
      return `round ${message.round}`;
    case "snapshotRequest":
      return `state up to ${message.snapshot.index}`;
    case "timeoutNow":
      return "take over";
    default:
      return "";
  }
}
