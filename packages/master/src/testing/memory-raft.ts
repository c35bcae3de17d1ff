import { HoldfastError } from "@holdfast/base";
import type {
  CommittedEntry,
  LogIndex,
  PeerId,
  ProposeOutcome,
  RaftEvent,
  RaftNode,
  RaftStatus,
  StateMachine,
  Term,
} from "@holdfast/raft";

/** What the next proposal meets. */
export type PlannedFailure = "notLeader" | "overloaded" | "superseded" | "unknown";

/**
 * A group of one that keeps its log in memory and applies what is proposed at once, one entry after another. Tests
 * steer it: hold proposals back, fail the next one, lose and gain leadership.
 */
export class MemoryRaft implements RaftNode {
  readonly services = [];
  readonly log: CommittedEntry[] = [];
  private readonly stateMachine: StateMachine;
  private readonly listeners = new Set<(event: RaftEvent) => void>();
  private readonly failures: PlannedFailure[] = [];
  private readonly held: (() => void)[] = [];
  private applying: Promise<void> = Promise.resolve();
  private isHolding = false;
  private isLeader = true;
  private term = 1;
  private lastIndex: number;
  readIndexCount = 0;

  constructor(stateMachine: StateMachine) {
    this.stateMachine = stateMachine;
    this.lastIndex = stateMachine.appliedIndex();
  }

  start(): void {
    // A group of one leads from the beginning.
  }

  async propose(data: Uint8Array): Promise<ProposeOutcome> {
    if (!this.isLeader) return { kind: "notLeader", leader: 2 as PeerId };
    const failure = this.failures.shift();
    if (failure === "notLeader") return { kind: "notLeader", leader: 2 as PeerId };
    if (failure === "overloaded" || failure === "superseded" || failure === "unknown") return { kind: failure };
    this.lastIndex += 1;
    const entry = { index: this.lastIndex as LogIndex, term: this.term as Term, data };
    const isGivenUp = await this.gate(entry.term);
    if (isGivenUp) return { kind: "unknown" };
    await this.append(entry);
    return { kind: "applied", index: entry.index, term: entry.term };
  }

  async readIndex(): Promise<LogIndex> {
    this.readIndexCount += 1;
    await this.applying;
    if (!this.isLeader)
      throw new HoldfastError("notLeader", "This master does not lead.", { leaderAddress: "master-2:1" });
    return this.stateMachine.appliedIndex();
  }

  async waitApplied(index: LogIndex): Promise<void> {
    while (this.stateMachine.appliedIndex() < index) await this.applying;
  }

  changeMembership(): Promise<LogIndex> {
    return Promise.reject(new HoldfastError("precondition", "This group has one member for ever."));
  }

  transferLeadership(): Promise<void> {
    return Promise.reject(new HoldfastError("precondition", "This group has one member for ever."));
  }

  setAside(): Promise<void> {
    return Promise.reject(new HoldfastError("precondition", "There is nobody to get another state from."));
  }

  status(): RaftStatus {
    const appliedIndex = this.stateMachine.appliedIndex();
    return {
      id: 1 as PeerId,
      role: this.isLeader ? "leader" : "follower",
      term: this.term as Term,
      leader: (this.isLeader ? 1 : 2) as PeerId,
      commitIndex: appliedIndex,
      appliedIndex,
      lastIndex: this.lastIndex as LogIndex,
      firstIndex: 1 as LogIndex,
      snapshotIndex: 0 as LogIndex,
      isReadyLeader: this.isLeader,
      missingEntries: 0,
      standing: "member",
      incarnation: "00".repeat(16),
      voters: [1 as PeerId],
      learners: [],
      peers: [],
      transfers: [],
      incoming: undefined,
    };
  }

  subscribe(listener: (event: RaftEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  addressOf(peer: PeerId): string | undefined {
    return `master-${peer}:1`;
  }

  async stop(): Promise<void> {
    await this.applying;
  }

  /** The next proposals end so, in order; nothing of them is appended. */
  failNext(...failures: readonly PlannedFailure[]): void {
    this.failures.push(...failures);
  }

  /** Proposals are appended but not applied until `release`. */
  hold(): void {
    this.isHolding = true;
  }

  /** Applies what was held back, in order. */
  release(): void {
    this.isHolding = false;
    for (const go of this.held.splice(0)) go();
  }

  /** Another master leads; what was held back is lost here. */
  loseLeadership(): void {
    this.isLeader = false;
    this.term += 1;
    this.lastIndex = this.stateMachine.appliedIndex();
    this.release();
  }

  /** Leads again, in a new term. */
  gainLeadership(): void {
    this.isLeader = true;
    this.term += 1;
  }

  private async gate(term: number): Promise<boolean> {
    if (this.isHolding) await new Promise<void>((resolve) => this.held.push(resolve));
    return term !== this.term;
  }

  private async append(entry: CommittedEntry): Promise<void> {
    this.log.push(entry);
    this.applying = this.applying.then(() => this.stateMachine.apply([entry], entry.index));
    await this.applying;
  }
}
