import { defaultConfig, type Config } from "../../src/core/config.ts";
import { createRaft } from "../../src/core/create-raft.ts";
import type { Entry, Membership, Payload } from "../../src/core/entries.ts";
import type { Message } from "../../src/core/messages.ts";
import type { Output, PersistOrder, Reply } from "../../src/core/output.ts";
import type { PeerView, RaftCore } from "../../src/core/raft-core.ts";
import type { LogIndex, PeerId, Term } from "../../src/core/types.ts";
import { bootFrom, type TestDisk } from "../../src/testing/test-node.ts";

/** How a core under test begins. */
export interface CoreSetup {
  readonly id?: number;
  /** Default 1 to 3. */
  readonly voters?: readonly number[];
  readonly outgoing?: readonly number[];
  readonly learners?: readonly number[];
  /** Terms of the log on its disk, from index 1. */
  readonly log?: readonly number[];
  readonly term?: number;
  readonly vote?: number;
  readonly commit?: number;
  readonly preVote?: boolean;
  readonly leases?: boolean;
  readonly config?: Partial<Config>;
}

type Body<Kind extends Message["kind"]> = Partial<
  Omit<Extract<Message, { kind: Kind }>, "kind" | "from" | "to" | "term">
>;

const noEntry = { term: 0 as Term, index: 0 as LogIndex };

/** What a message of a kind holds when a test does not say otherwise. */
const blank: { readonly [Kind in Message["kind"]]?: object } = {
  voteRequest: { isPreVote: false, isTransfer: false, last: noEntry, commit: noEntry },
  voteResponse: { isPreVote: false, isRejected: false, commit: noEntry },
  appendRequest: { previous: noEntry, entries: [], commit: 0 },
  appendResponse: { index: 0 },
  heartbeatRequest: { commit: noEntry, round: 1 },
  heartbeatResponse: { round: 0 },
};

/** One core with a memory disk that finishes every write at once, ten ticks of patience, and no luck in its timeouts. */
export class SingleCore {
  readonly core: RaftCore;
  readonly config: Config;
  readonly id: PeerId;
  readonly disk: TestDisk;
  readonly applied: Entry[] = [];
  readonly replies: Reply[] = [];
  #nextRef = 1;
  #sent: Message[] = [];
  readonly #writes: { readonly order: PersistOrder; readonly after: Output["sendAfter"] }[] = [];
  readonly #isDiskIdle: () => boolean;

  constructor(setup: CoreSetup = {}, isDiskIdle: () => boolean = () => true) {
    this.#isDiskIdle = isDiskIdle;
    this.id = (setup.id ?? 1) as PeerId;
    const ids = (list: readonly number[] | undefined): PeerId[] => [...(list ?? [])] as PeerId[];
    const membership: Membership = {
      voters: ids(setup.voters ?? [1, 2, 3]),
      votersOutgoing: ids(setup.outgoing),
      learners: ids(setup.learners),
      learnersNext: [],
      autoLeave: false,
    };
    const log = setup.log ?? [];
    this.disk = {
      hardState: {
        term: (setup.term ?? log[log.length - 1] ?? 0) as Term,
        vote: (setup.vote ?? 0) as PeerId,
        commit: (setup.commit ?? 0) as LogIndex,
      },
      logStart: { ...noEntry, membership },
      entries: log.map((term, place) => entryOf(term, place + 1)),
      lost: [],
    };
    const base = defaultConfig(this.id);
    const switches = { ...base.switches, preVote: setup.preVote ?? false, leaseReads: setup.leases ?? false };
    this.config = { ...base, electionTicks: 10, heartbeatTicks: 1, persistStallTicks: 0, switches, ...setup.config };
    this.core = createRaft(this.config, bootFrom(this.disk, 0 as LogIndex), () => 0);
    this.#settle();
    this.sent();
  }

  get view(): ReturnType<RaftCore["view"]> {
    return this.core.view();
  }

  /** What the leader knows of a member. */
  peer(id: number): PeerView {
    const found = this.view.peers.find((peer) => peer.id === id);
    if (found === undefined) throw new Error(`peer ${id} is not tracked`);
    return found;
  }

  /** Messages since the last look. */
  sent(): Message[] {
    return this.#sent.splice(0);
  }

  /** Messages of one kind since the last look; the others are forgotten. */
  sentOf<Kind extends Message["kind"]>(kind: Kind): Extract<Message, { kind: Kind }>[] {
    return this.sent().filter((message): message is Extract<Message, { kind: Kind }> => message.kind === kind);
  }

  /** A message arrives. */
  receive<Kind extends Message["kind"]>(kind: Kind, from: number, term: number, body: Body<Kind> = {}): this {
    const message = { ...blank[kind], ...body, kind, from, to: this.id, term } as unknown as Message;
    return this.step({ kind: "receive", message });
  }

  step(input: Parameters<RaftCore["step"]>[0]): this {
    this.core.step(input);
    this.#settle();
    return this;
  }

  ticks(count: number): this {
    for (let passed = 0; passed < count; passed++) this.step({ kind: "tick" });
    return this;
  }

  /** Campaigns and gets every vote that it needs. */
  lead(): this {
    this.step({ kind: "campaign" });
    for (const id of this.view.membership.voters) {
      if (this.view.role === "preCandidate") this.receive("voteResponse", id, this.view.term + 1, { isPreVote: true });
    }
    for (const id of this.view.membership.voters) {
      if (id !== this.id && this.view.role === "candidate") this.receive("voteResponse", id, this.view.term);
    }
    return this;
  }

  /** Leads, and the others have its log. */
  leadAll(): this {
    this.lead();
    for (const { id } of this.view.peers) if (id !== this.id) this.acknowledge(id);
    this.sent();
    return this;
  }

  /** A member acknowledges up to this index, or everything. */
  acknowledge(from: number, index: number = this.view.lastIndex): this {
    return this.receive("appendResponse", from, this.view.term, { index: index as LogIndex });
  }

  propose(text = "x"): number {
    const ref = this.#nextRef++;
    this.step({ kind: "propose", proposals: [{ ref, data: Uint8Array.from(text, (letter) => letter.charCodeAt(0)) }] });
    return ref;
  }

  read(mode: "round" | "lease" = "round"): number {
    const ref = this.#nextRef++;
    this.step({ kind: "read", ref, mode });
    return ref;
  }

  transfer(to: number): number {
    const ref = this.#nextRef++;
    this.step({ kind: "transfer", ref, to: to as PeerId });
    return ref;
  }

  change(steps: string, transition: "auto" | "implicit" | "explicit" = "auto"): number {
    const ref = this.#nextRef++;
    this.step({ kind: "changeConfiguration", ref, change: changeOf(steps, transition) });
    return ref;
  }

  replyTo(ref: number): Reply | undefined {
    return this.replies.find((reply) => reply.ref === ref);
  }

  /** Terms of the log on the disk. */
  get terms(): number[] {
    return this.disk.entries.map(({ term }) => term);
  }

  #write({ append, hardState, snapshot, token }: PersistOrder): void {
    const first = append[0];
    if (snapshot !== undefined) Object.assign(this.disk, { logStart: snapshot, entries: [] });
    if (first !== undefined)
      this.disk.entries = [...this.disk.entries.filter(({ index }) => index < first.index), ...append];
    if (hardState !== undefined) this.disk.hardState = hardState;
    this.core.step({ kind: "persisted", token });
  }

  #settle(): void {
    for (let isBusy = true; isBusy;) {
      isBusy = false;
      const output = this.core.drain();
      this.#sent.push(...output.send);
      this.replies.push(...output.replies);
      if (output.persist !== undefined) this.#writes.push({ order: output.persist, after: output.sendAfter });
      const write = this.#isDiskIdle() ? this.#writes.shift() : undefined;
      if (write !== undefined) {
        this.#write(write.order);
        this.#sent.push(...write.after.map(({ message }) => message));
        isBusy = true;
      }
      const last = output.apply[output.apply.length - 1];
      if (last !== undefined) {
        this.applied.push(...output.apply);
        this.core.step({ kind: "applied", index: last.index });
        isBusy = true;
      }
    }
  }
}

/** An entry without content, or with this text. */
export function entryOf(term: number, index: number, text?: string): Entry {
  const payload: Payload =
    text === undefined
      ? { kind: "empty" }
      : { kind: "application", data: Uint8Array.from(text, (letter) => letter.charCodeAt(0)) };
  return { term: term as Term, index: index as LogIndex, payload };
}

/** An entry's name. */
export function idOf(term: number, index: number): { term: Term; index: LogIndex } {
  return { term: term as Term, index: index as LogIndex };
}

const actions = { v: "addVoter", l: "addLearner", r: "remove", u: "update" } as const;

/** `v4 r1` as a change; nothing: leave the joint configuration. */
export function changeOf(steps: string, transition: "auto" | "implicit" | "explicit" = "auto") {
  const parts = steps.split(" ").filter((part) => part !== "");
  return {
    version: 2,
    transition,
    steps: parts.map((part) => ({
      action: actions[part.charAt(0) as keyof typeof actions],
      peer: Number(part.slice(1)) as PeerId,
    })),
    context: new Uint8Array(),
  } as const;
}

/** A leader of 1 to 3 that has just sent 2 a snapshot, because what 2 lacks is compacted. */
export function snapshotting(): SingleCore {
  const one = new SingleCore({ voters: [1, 2, 3] }).leadAll();
  one.propose("a");
  one.acknowledge(3);
  one.step({ kind: "compact", throughIndex: 2 as LogIndex });
  one.step({ kind: "unreachable", peer: 2 as never });
  one.receive("heartbeatResponse", 2, one.view.term);
  one.sent();
  return one;
}
