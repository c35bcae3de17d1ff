import { must } from "@holdfast/base";
import type { Message } from "../../src/core/messages.ts";
import type { PeerId } from "../../src/core/types.ts";
import type { ExploreBounds } from "./bounds.ts";
import { advanceHistory, areMatching, emptyHistory, isOnMajority, type RunHistory } from "./history.ts";
import {
  canTear,
  crashNode,
  foundingNode,
  keyOfMessage,
  persistNode,
  stepNode,
  type LocalNode,
  type LocalStep,
} from "./local-node.ts";
import { StateTable } from "./state-table.ts";

/** What a run of the explorer saw. */
export interface ExploreReport {
  /** Distinct states of the whole group. */
  readonly states: number;
  /** Steps from one to another, also to known ones. */
  readonly transitions: number;
  /** The longest shortest way to a state. */
  readonly depth: number;
  /** Distinct states that are at most `depth` steps away: all of those were seen. */
  readonly statesWithinDepth: number;
  /** Whether every state within the bounds was seen. */
  readonly isComplete: boolean;
  /** Distinct states of single members, and steps that the real core took (others are remembered). */
  readonly localStates: number;
  readonly coreSteps: number;
  readonly messages: number;
  readonly bytes: number;
}

/** A broken promise, and the shortest way to it. */
export class ExploreViolation extends Error {
  override readonly name = "ExploreViolation";
  readonly statesBefore: number;

  constructor(promise: string, way: readonly string[], statesBefore: number) {
    super(`${promise}\nafter ${way.length} steps:\n${way.map((step) => `  ${step}`).join("\n")}`);
    this.statesBefore = statesBefore;
  }
}

/** A member's step with everything as numbers. */
interface NumberedStep {
  readonly node: number;
  /** Ascending. */
  readonly sent: readonly number[];
}

const size = 3;
/** Words before the messages: a number a member, the history, and the counters. */
const headWords = size + 2;
const kinds = ["timeout", "propose", "persist", "crash", "tornCrash", "heartbeat", "transfer"] as const;
type ActionKind = (typeof kinds)[number];
const budgets = { timeout: 0, propose: 1, crash: 2, tornCrash: 2, heartbeat: 3, transfer: 4 } as const;
const duplicateBudget = 5;

/** Inputs that are no message come first. */
const firstMessageInput = 64;
const inputsMax = 1 << 22;

/**
 * Breadth-first search over all states that three real cores can reach within bounds. Messages may arrive at any time,
 * in any order, or never (that is loss), and twice; disks finish each order at any time; members crash at any time.
 *
 * A state is five numbers and a list of messages; members, messages and histories are kept once and numbered. A core
 * is deterministic, so each distinct (member, input) is run once on the real core and remembered. The members are
 * alike, so only the first may begin.
 */
export class Explorer {
  readonly #bounds: ExploreBounds;
  readonly #statesMax: number;
  readonly #table = new StateTable();
  readonly #nodes: LocalNode[] = [];
  readonly #nodeNumbers = new Map<string, number>();
  readonly #messages: Message[] = [];
  readonly #messageNumbers = new Map<string, number>();
  readonly #histories: RunHistory[] = [];
  readonly #historyNumbers = new Map<string, number>();
  readonly #steps = new Map<number, NumberedStep>();
  readonly #advances = new Map<number, number>();
  readonly #matching = new Set<number>();
  readonly #words = new Int32Array(4096);
  readonly #next = new Int32Array(4096);
  #transitions = 0;
  #depth = 0;
  /** All states before this one are at most `#depth` steps away. */
  #levelEnd = 1;
  #at = 0;

  constructor(bounds: ExploreBounds, statesMax = Infinity) {
    this.#bounds = bounds;
    this.#statesMax = statesMax;
  }

  /** Runs to the end of the bounds, or until `statesMax`. Throws `ExploreViolation`. */
  run(onProgress?: (report: ExploreReport) => void): ExploreReport {
    this.#begin();
    for (this.#at = 0; this.#at < this.#table.count; this.#at++) {
      if (this.#at === this.#levelEnd) {
        this.#depth++;
        this.#levelEnd = this.#table.count;
        onProgress?.(this.#report(false));
      }
      if (this.#table.count >= this.#statesMax) return this.#report(false);
      this.#expand();
    }
    return this.#report(true);
  }

  #begin(): void {
    const voters = Array.from({ length: size }, (_, place) => (place + 1) as PeerId);
    const words = voters.map((id) => this.#numberOfNode(foundingNode(id, this.#bounds.hasPreVote, voters)));
    this.#words.set([...words, this.#numberOfHistory(emptyHistory), 0]);
    this.#table.add(this.#words, headWords, { parent: -1, action: 0 });
  }

  #report(isComplete: boolean): ExploreReport {
    return {
      states: this.#table.count,
      transitions: this.#transitions,
      depth: this.#depth,
      statesWithinDepth: this.#levelEnd,
      isComplete,
      localStates: this.#nodes.length,
      coreSteps: this.#steps.size,
      messages: this.#messages.length,
      bytes: this.#table.bytes,
    };
  }

  #expand(): void {
    const length = this.#table.read(this.#at, this.#words);
    const counters = this.#words[size + 1] ?? 0;
    for (let member = 0; member < size; member++) this.#expandMember(member, counters, length);
    let before = -1;
    for (let place = headWords; place < length; place++) {
      const message = this.#words[place] ?? 0;
      if (message === before) continue;
      before = message;
      this.#deliver(place, length, counters);
      if (isLeft(counters, duplicateBudget, this.#bounds.duplicates)) {
        this.#deliver(-1 - place, length, counters + (1 << (4 * duplicateBudget)));
      }
    }
  }

  #expandMember(member: number, counters: number, length: number): void {
    const node = must(this.#nodes[this.#words[member] ?? -1], "the member is known");
    const { bounds } = { bounds: this.#bounds };
    const act = (kind: ActionKind, max: number): void => {
      const budget = kind === "persist" ? undefined : budgets[kind];
      if (budget !== undefined && !isLeft(counters, budget, max)) return;
      const spent = budget === undefined ? counters : counters + (1 << (4 * budget));
      this.#take({ member, input: kinds.indexOf(kind) * 8 + used(counters, kind), removed: -1 }, spent, length);
    };
    if (node.pending.length > 0) act("persist", Infinity);
    const isLeader = node.view.role === "leader";
    const isFirst = this.#at > 0 || member === 0;
    if (!isLeader && isFirst) act("timeout", bounds.timeouts);
    if (isLeader) {
      act("propose", bounds.proposals);
      act("heartbeat", bounds.heartbeats);
      act("transfer", bounds.transfers);
    }
    if (node.view.term === 0) return;
    act("crash", bounds.crashes);
    if (canTear(node)) act("tornCrash", bounds.crashes);
  }

  /** `place` of the message in the words; -1 - place: it stays on the way. */
  #deliver(place: number, length: number, counters: number): void {
    const number = this.#words[place < 0 ? -1 - place : place] ?? 0;
    const member = must(this.#messages[number], "the message is known").to - 1;
    this.#take({ member, input: firstMessageInput + number, removed: place }, counters, length);
  }

  #take(
    action: { readonly member: number; readonly input: number; readonly removed: number },
    counters: number,
    length: number,
  ): void {
    this.#transitions++;
    const { member, input, removed } = action;
    const code = input * 8 + member * 2 + (removed < -1 ? 1 : 0);
    const step = this.#stepOf(this.#words[member] ?? 0, input, code);
    const next = this.#next;
    for (let place = 0; place < size; place++) next[place] = this.#words[place] ?? 0;
    next[member] = step.node;
    next[size] = this.#advance(step.node, member, code);
    next[size + 1] = counters;
    let end = headWords;
    for (let place = headWords; place < length; place++) {
      if (place !== removed) end = this.#keep(next, end, this.#words[place] ?? 0);
    }
    for (const message of step.sent) end = insert(next, end, message);
    this.#table.add(next, end, { parent: this.#at, action: code });
  }

  /** A message that its receiver's disk has outlived never has an effect again. */
  #keep(next: Int32Array, end: number, number: number): number {
    const message = must(this.#messages[number], "the message is known");
    const receiver = must(this.#nodes[next[message.to - 1] ?? -1], "the member is known");
    if (isOutlived(message, receiver)) return end;
    next[end] = number;
    return end + 1;
  }

  #stepOf(from: number, input: number, code: number): NumberedStep {
    const key = from * inputsMax + input;
    const known = this.#steps.get(key);
    if (known !== undefined) return known;
    const step = this.#runCore(must(this.#nodes[from], "the member is known"), input, code);
    const sent = step.sent.map((message) => this.#numberOfMessage(message)).sort((left, right) => left - right);
    const numbered = { node: this.#numberOfNode(step.node), sent };
    this.#steps.set(key, numbered);
    return numbered;
  }

  /** The real core takes a step. */
  #runCore(node: LocalNode, input: number, code: number): LocalStep {
    try {
      const step = this.#perform(node, input);
      for (const reply of step.replies) {
        const name = reply.kind === "committed" ? step.node.log[reply.id.index - 1] : undefined;
        const isTrue = name?.startsWith(`${reply.kind === "committed" ? reply.id.term : ""}:`) ?? true;
        if (!isTrue) throw new Error(`reference ${reply.ref} is told committed, and another entry was`);
      }
      return step;
    } catch (error) {
      throw this.#violation(error instanceof Error ? error.message : String(error), code);
    }
  }

  #perform(node: LocalNode, input: number): LocalStep {
    if (input >= firstMessageInput) {
      const message = must(this.#messages[input - firstMessageInput], "the message is known");
      return stepNode(node, [{ kind: "receive", message }]);
    }
    const { hasPreVote } = this.#bounds;
    const kind = must(kinds[input >>> 3], "the action is known");
    switch (kind) {
      case "timeout":
        return stepNode(node, [{ kind: "forgetLeader" }, { kind: "campaign" }]);
      case "propose": {
        const ref = (input & 7) + 1;
        return stepNode(node, [{ kind: "propose", proposals: [{ ref, data: Uint8Array.of(96 + ref) }] }]);
      }
      case "persist":
        return persistNode(node);
      case "crash":
        return crashNode(node, { hasPreVote, isTorn: false });
      case "tornCrash":
        return crashNode(node, { hasPreVote, isTorn: true });
      case "heartbeat":
        return stepNode(node, [{ kind: "tick" }]);
      case "transfer":
        return stepNode(node, [{ kind: "transfer", ref: 100, to: ((node.view.id % size) + 1) as PeerId }]);
    }
  }

  /** Judges the state that `next` holds; the number of its history. */
  #advance(node: number, member: number, code: number): number {
    const from = this.#words[size] ?? 0;
    for (let other = 0; other < size; other++) {
      if (other !== member) this.#checkMatching(node, this.#words[other] ?? 0, code);
    }
    const key = node * inputsMax + from;
    const known = this.#advances.get(key);
    if (known !== undefined && known === from) return known;
    const history = must(this.#histories[from], "the history is known");
    const after = advanceHistory(history, must(this.#nodes[node], "the member is known"));
    if (typeof after === "string") throw this.#violation(after, code);
    if (after.committed.length > history.committed.length) this.#checkMajority(node, member, after.committed, code);
    const number = this.#numberOfHistory(after);
    this.#advances.set(key, number);
    return number;
  }

  #checkMajority(node: number, member: number, committed: readonly string[], code: number): void {
    const nodes = Array.from({ length: size }, (_, place) =>
      must(this.#nodes[place === member ? node : (this.#words[place] ?? -1)], "the member is known"),
    );
    if (!isOnMajority(nodes, committed)) {
      throw this.#violation(`durable before committed: ${committed.join(" ")} is not on a majority of disks`, code);
    }
  }

  #checkMatching(left: number, right: number, code: number): void {
    const key = Math.min(left, right) * 2 ** 26 + Math.max(left, right);
    if (this.#matching.has(key)) return;
    const [one, other] = [must(this.#nodes[left], "known"), must(this.#nodes[right], "known")];
    if (!areMatching(one, other)) {
      throw this.#violation(
        `log matching: ${one.view.id} has ${one.log.join(" ")}, ${other.view.id} has ${other.log.join(" ")}`,
        code,
      );
    }
    this.#matching.add(key);
  }

  #violation(promise: string, code: number): ExploreViolation {
    const way = [this.#describe(code)];
    for (let at = this.#at; at > 0;) {
      const { parent, action } = this.#table.originOf(at);
      way.push(this.#describe(action));
      at = parent;
    }
    return new ExploreViolation(promise, way.reverse(), this.#table.count);
  }

  #describe(code: number): string {
    const input = Math.floor(code / 8);
    const member = ((code >>> 1) & 3) + 1;
    if (input < firstMessageInput) return `${member}: ${kinds[input >>> 3]}`;
    const message = must(this.#messages[input - firstMessageInput], "the message is known");
    return `${member}: receives${code % 2 === 1 ? " a copy of" : ""} ${keyOfMessage(message)}`;
  }

  #numberOfNode(node: LocalNode): number {
    return numberIn(this.#nodes, this.#nodeNumbers, node.key, node);
  }

  #numberOfMessage(message: Message): number {
    return numberIn(this.#messages, this.#messageNumbers, keyOfMessage(message), message);
  }

  #numberOfHistory(history: RunHistory): number {
    return numberIn(this.#histories, this.#historyNumbers, history.key, history);
  }
}

function numberIn<T>(list: T[], numbers: Map<string, number>, key: string, value: T): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  numbers.set(key, list.length);
  return list.push(value) - 1;
}

function isLeft(counters: number, budget: number, max: number): boolean {
  return ((counters >>> (4 * budget)) & 15) < max;
}

/** Proposals are told apart by how many there were; nothing else needs a count. */
function used(counters: number, kind: ActionKind): number {
  return kind === "propose" ? (counters >>> (4 * budgets.propose)) & 7 : 0;
}

/** Answers and votes of a term that is over, and votes of one that is decided, for this member's disk too. */
function isOutlived(message: Message, receiver: LocalNode): boolean {
  const { disk, view } = receiver;
  switch (message.kind) {
    case "appendResponse":
    case "heartbeatResponse":
      return message.term < disk.hardState.term;
    case "voteRequest":
      return !message.isPreVote && message.term < disk.hardState.term;
    case "voteResponse":
      if (message.isPreVote || message.term > disk.hardState.term) return false;
      return message.term < disk.hardState.term || (view.term === message.term && view.role !== "candidate");
    default:
      return false;
  }
}

/** Inserts into the ascending messages. */
function insert(words: Int32Array, end: number, message: number): number {
  let place = end;
  while (place > headWords && (words[place - 1] ?? 0) > message) {
    words[place] = words[place - 1] ?? 0;
    place--;
  }
  words[place] = message;
  return end + 1;
}
