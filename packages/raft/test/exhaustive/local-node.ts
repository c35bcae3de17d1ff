import { assert } from "@holdfast/base";
import { createRaft } from "../../src/core/create-raft.ts";
import type { Entry } from "../../src/core/entries.ts";
import type { Input } from "../../src/core/input.ts";
import { checkInvariants } from "../../src/core/invariants.ts";
import type { Message } from "../../src/core/messages.ts";
import type { PersistOrder, Reply } from "../../src/core/output.ts";
import type { RaftCore, RaftView } from "../../src/core/raft-core.ts";
import type { LogIndex, PeerId, Term } from "../../src/core/types.ts";
import { bootFrom, type TestDisk } from "../../src/testing/test-node.ts";
import { exploreConfig } from "./bounds.ts";

/** A write order and the messages that wait for it. */
interface PendingPersist {
  readonly order: PersistOrder;
  readonly after: readonly Message[];
}

/** One member with its disk, as one value: never changed, a step makes another one. */
export interface LocalNode {
  /** Equal for equal nodes. */
  readonly key: string;
  readonly core: RaftCore;
  readonly view: RaftView;
  readonly disk: TestDisk;
  readonly pending: readonly PendingPersist[];
  /** Names of all entries in memory, in log order. */
  readonly log: readonly string[];
  readonly terms: readonly number[];
  /** Of those on disk. */
  readonly durableLog: readonly string[];
}

/** What a step of one member leads to. */
export interface LocalStep {
  readonly node: LocalNode;
  readonly sent: readonly Message[];
  readonly replies: readonly Reply[];
}

/** Always the same: an election timeout is an action of the explorer. */
const noRandom = (): number => 0;

/** A founding member that has just started. */
export function foundingNode(id: PeerId, hasPreVote: boolean, voters: readonly PeerId[]): LocalNode {
  const zero = { term: 0 as Term, index: 0 as LogIndex };
  const membership = { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  const disk: TestDisk = {
    hardState: { term: zero.term, vote: 0 as PeerId, commit: zero.index },
    logStart: { ...zero, membership },
    entries: [],
    lost: [],
  };
  return start(id, hasPreVote, disk);
}

function start(id: PeerId, hasPreVote: boolean, disk: TestDisk): LocalNode {
  const core = createRaft(exploreConfig(id, hasPreVote), bootFrom(disk, disk.logStart.index), noRandom);
  return carryOut(core, disk, []).node;
}

/** These inputs, one after the other, and everything they cause at once. */
export function stepNode(node: LocalNode, inputs: readonly Input[]): LocalStep {
  const core = node.core.fork();
  for (const input of inputs) core.step(input);
  return carryOut(core, node.disk, node.pending);
}

/** The oldest write order is on disk. */
export function persistNode(node: LocalNode): LocalStep {
  const [first, ...rest] = node.pending;
  assert(first !== undefined, "something is to be written");
  const core = node.core.fork();
  core.step({ kind: "persisted", token: first.order.token });
  const step = carryOut(core, written(node.disk, first.order), rest);
  return { ...step, sent: [...first.after, ...step.sent] };
}

/** Power is lost and comes back. `isTorn`: of the oldest order the entries got to disk, and not the term and vote. */
export function crashNode(
  node: LocalNode,
  options: { readonly hasPreVote: boolean; readonly isTorn: boolean },
): LocalStep {
  const torn = options.isTorn ? node.pending[0]?.order : undefined;
  const disk = torn === undefined ? node.disk : written(node.disk, { ...torn, hardState: node.disk.hardState });
  return { node: start(node.view.id, options.hasPreVote, disk), sent: [], replies: [] };
}

/** Whether a crash may leave the oldest order half written. */
export function canTear(node: LocalNode): boolean {
  const order = node.pending[0]?.order;
  return order?.hardState !== undefined && order.append.length > 0;
}

function written(disk: TestDisk, order: PersistOrder): TestDisk {
  const first = order.append[0]?.index ?? Infinity;
  return {
    hardState: order.hardState ?? disk.hardState,
    logStart: disk.logStart,
    entries: [...disk.entries.filter((entry) => entry.index < first), ...order.append],
    lost: disk.lost,
  };
}

/** Takes what the core wants; its state machine applies at once. */
function carryOut(core: RaftCore, diskBefore: TestDisk, pendingBefore: readonly PendingPersist[]): LocalStep {
  let disk = diskBefore;
  const pending = [...pendingBefore];
  const sent: Message[] = [];
  const replies: Reply[] = [];
  for (;;) {
    const output = core.drain();
    sent.push(...output.send);
    replies.push(...output.replies);
    if (output.persist !== undefined) {
      pending.push({ order: output.persist, after: output.sendAfter.map(({ message }) => message) });
    }
    assert(output.fetch.length === 0, "nothing leaves the window");
    const last = output.apply[output.apply.length - 1];
    if (last !== undefined) core.step({ kind: "applied", index: last.index });
    else if (isHintOnly(pending[0])) disk = written(disk, finishHint(core, pending));
    else return { node: describe(core, disk, pending), sent, replies };
  }
}

/**
 * An order that only moves the stored commit index, and has nothing before it: it is done at once. That index is a hint,
 * which a crash may as well keep.
 */
function isHintOnly(pending: PendingPersist | undefined): boolean {
  return pending !== undefined && !pending.order.mustSync && pending.after.length === 0;
}

function finishHint(core: RaftCore, pending: PendingPersist[]): PersistOrder {
  const first = pending.shift();
  assert(first !== undefined, "something is to be written");
  core.step({ kind: "persisted", token: first.order.token });
  return first.order;
}

function describe(core: RaftCore, disk: TestDisk, pending: readonly PendingPersist[]): LocalNode {
  const view = core.view();
  checkInvariants(view);
  let log = disk.entries;
  for (const { order } of pending) {
    const first = order.append[0];
    if (first !== undefined) log = [...log.filter((entry) => entry.index < first.index), ...order.append];
  }
  assert(log.length === view.lastIndex, "what the core has was ordered to disk");
  const { term, vote, commit } = disk.hardState;
  const durableLog = disk.entries.map(nameOf);
  const waiting = pending.map(({ order, after }) => [order, after.map(keyOfMessage)]);
  const key = `${view.id}:${core.digest()}:${term}/${vote}/${commit}:${durableLog.join()}:${keyOf(waiting)}`;
  return { key, core, view, disk, pending, log: log.map(nameOf), terms: log.map((entry) => entry.term), durableLog };
}

function nameOf(entry: Entry): string {
  const { payload } = entry;
  const text = payload.kind === "application" ? String.fromCharCode(...payload.data) : payload.kind;
  return `${entry.term}:${text}`;
}

/** Equal for equal messages. */
export function keyOfMessage(message: Message): string {
  return keyOf(message);
}

function keyOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part instanceof Uint8Array ? String.fromCharCode(...part) : part,
  );
}
