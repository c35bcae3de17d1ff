import type { ConfigurationChange, MemberAction, MemberStep, Transition } from "../../core/entries.ts";
import type { LogIndex, PeerId } from "../../core/types.ts";
import { isVoter } from "../../core/quorum.ts";
import { checkInvariants } from "../../core/invariants.ts";
import type { ScriptArgument, ScriptCommand } from "./datadriven.ts";
import { describeEntry, describeHardState, describePeer, describeRole, describeSnapshot, describeSoftState } from "./describe.ts";
import { EnvNode, envelopeOf, lineOf, type Envelope, type NodeOptions, type Ready } from "./env-node.ts";
import { deliverTo, splitFor } from "./env-delivery.ts";

/** Nodes, messages between them, and the commands of etcd's interaction scripts over both. */
export class InteractionEnv {
  readonly nodes: EnvNode[] = [];
  messages: Envelope[] = [];
  #isQuiet = false;
  #lines: string[] = [];

  /** Runs one command; what it prints, `ok` when it prints nothing. */
  run(command: ScriptCommand): string {
    this.#lines = [];
    const handler = handlers[command.name];
    if (handler === undefined) return `unknown command ${command.name}`;
    const wasQuiet = this.#isQuiet;
    let failure: string | undefined;
    try {
      handler(this, command);
    } catch (thrown) {
      if (!(thrown instanceof CommandError)) throw thrown;
      failure = thrown.message;
    }
    // The scripts' nodes begin at term 0 with a snapshot of term 1, as no log store would.
    for (const node of this.nodes) if (node.core.view().term > 0) checkInvariants(node.core.view());
    // A level given to one command holds for this command alone.
    const isSilent = this.#isQuiet || wasQuiet;
    if (command.name === "stabilize") this.#isQuiet = wasQuiet;
    if (failure !== undefined && !isSilent) this.#lines.push(failure);
    const text = isSilent ? (failure ?? "") : this.#lines.join("\n");
    return text === "" ? "ok" : text;
  }

  /** Prints a line. */
  print(line: string): void {
    this.#lines.push(line);
  }

  /** Prints what `body` prints, two spaces to the right. */
  indent(body: () => void): void {
    const outer = this.#lines;
    this.#lines = [];
    body();
    const inner = this.#lines.flatMap((text) => text.split("\n"));
    this.#lines = outer;
    for (const line of inner) this.#lines.push(`  ${line}`);
  }

  /** With level `none` nothing is printed, not even what is no log line. */
  setLevel(level: string): void {
    if (!["debug", "info", "warn", "error", "fatal", "none"].includes(level.toLowerCase())) {
      throw new CommandError(`log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]`);
    }
    this.#isQuiet = level.toLowerCase() === "none";
  }

  /** Node by its 1-based number. */
  node(id: number): EnvNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`the script names node ${id}, which does not exist`);
    return node;
  }
}

/** A refusal that a script expects to be printed. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

type Handler = (env: InteractionEnv, command: ScriptCommand) => void;

const handlers: Readonly<Record<string, Handler>> = {
  _breakpoint: () => undefined,
  "add-nodes": addNodes,
  campaign: (env, command) => idOf(env, command).core.step({ kind: "campaign" }),
  compact: (env, command) => {
    const node = idOf(env, command);
    node.compact(Number(command.args[1]?.key));
    printLog(env, node);
  },
  "deliver-msgs": deliver,
  "process-ready": (env, command) => each(env, command, "handling Ready", processReady),
  "process-append-thread": (env, command) => each(env, command, "processing append thread", processAppend),
  "process-apply-thread": (env, command) => each(env, command, "processing apply thread", processApply),
  "log-level": (env, command) => env.setLevel(command.args[0]?.key ?? ""),
  "raft-log": (env, command) => printLog(env, idOf(env, command)),
  "raft-state": printStates,
  "set-randomized-election-timeout": (env, command) =>
    idOf(env, command).core.step({ kind: "pinElectionTimeout", ticks: Number(valueOf(command, "timeout")) }),
  stabilize: (env, command) => {
    const level = valueOf(command, "log-level");
    if (level !== undefined) env.setLevel(level);
    const named = nodesOf(env, command);
    stabilize(env, named.length > 0 ? named : env.nodes);
  },
  status: (env, command) => {
    for (const peer of idOf(env, command).core.view().peers) env.print(`${peer.id}: ${describePeer(peer)}`);
  },
  "tick-election": (env, command) => tick(idOf(env, command), 3),
  "tick-heartbeat": (env, command) => tick(idOf(env, command), 1),
  "transfer-leadership": (env, command) =>
    env.node(Number(valueOf(command, "from"))).core.step({
      kind: "transfer",
      ref: 0,
      to: Number(valueOf(command, "to")) as PeerId,
    }),
  "forget-leader": (env, command) => idOf(env, command).core.step({ kind: "forgetLeader" }),
  "send-snapshot": sendSnapshot,
  propose: (env, command) => {
    const data = Uint8Array.from(command.args[1]?.key ?? "", (letter) => letter.charCodeAt(0));
    proposing(idOf(env, command), (node) => node.core.step({ kind: "propose", proposals: [{ ref: 0, data }] }));
  },
  "propose-conf-change": proposeChange,
  "report-unreachable": (env, command) => {
    const [from, to] = nodesOf(env, command);
    if (from === undefined || to === undefined) throw new CommandError("must specify exactly two node indexes");
    from.core.step({ kind: "unreachable", peer: to.id });
  },
};

function valueOf(command: ScriptCommand, key: string): string | undefined {
  return command.args.find((argument) => argument.key === key)?.values[0];
}

function nodesOf(env: InteractionEnv, command: ScriptCommand): EnvNode[] {
  return command.args.filter((argument) => argument.values.length === 0).map((argument) => env.node(Number(argument.key)));
}

function idOf(env: InteractionEnv, command: ScriptCommand): EnvNode {
  return env.node(Number(command.args[0]?.key));
}

function tick(node: EnvNode, count: number): void {
  for (let passed = 0; passed < count; passed++) node.core.step({ kind: "tick" });
}

function each(
  env: InteractionEnv,
  command: ScriptCommand,
  title: string,
  work: (env: InteractionEnv, node: EnvNode) => void,
): void {
  const nodes = nodesOf(env, command);
  for (const node of nodes) {
    if (nodes.length === 1) {
      work(env, node);
    } else {
      env.print(`> ${node.id} ${title}`);
      env.indent(() => work(env, node));
    }
  }
}

function addNodes(env: InteractionEnv, command: ScriptCommand): void {
  const count = Number(command.args[0]?.key);
  const args = command.args.slice(1);
  const isTrue = (key: string): boolean => valueOf(command, key) === "true";
  const idsOf = (key: string): PeerId[] =>
    (args.find((argument: ScriptArgument) => argument.key === key)?.values ?? []).map((id) => Number(id) as PeerId);
  const index = Number(valueOf(command, "index") ?? 0);
  const options: NodeOptions = {
    voters: idsOf("voters"),
    learners: idsOf("learners"),
    index,
    content: valueOf(command, "content") ?? "",
    isAsync: isTrue("async-storage-writes"),
    inflight: Number(valueOf(command, "inflight") ?? 0x7fffffff),
    applyBytesMax: Number(valueOf(command, "max-committed-size-per-ready") ?? Number.POSITIVE_INFINITY),
    preVote: isTrue("prevote"),
    checkQuorum: isTrue("checkquorum"),
    validateChanges: !isTrue("disable-conf-change-validation"),
    leaseReads: valueOf(command, "read-only") === "lease-based",
    stepDownOnRemoval: isTrue("step-down-on-removal"),
  };
  const isBootstrap = index > 0 || options.voters.length > 0 || options.learners.length > 0 || options.content !== "";
  if (isBootstrap && index <= 1) throw new CommandError("index must be specified as > 1 due to bootstrap");
  for (let made = 0; made < count; made++) env.nodes.push(new EnvNode((env.nodes.length + 1) as PeerId, options));
}

function proposing(node: EnvNode, propose: (node: EnvNode) => void): void {
  const before = node.core.view();
  propose(node);
  const after = node.core.view();
  const isTaken = before.role === "leader" ? after.lastIndex > before.lastIndex : before.role === "follower";
  if (!isTaken || (before.role === "follower" && before.leader === undefined)) {
    throw new CommandError("raft proposal dropped");
  }
}

const actions: Readonly<Record<string, MemberAction>> = { v: "addVoter", l: "addLearner", r: "remove", u: "update" };

/** `v3 l4 r5 u2`. */
export function parseSteps(input: string): readonly MemberStep[] {
  const tokens = input.trim().split(/\s+/);
  return tokens.flatMap((token) => {
    if (token === "") return [];
    const action = actions[token.charAt(0)];
    if (token.length < 2) throw new CommandError(`unknown token ${token}`);
    if (action === undefined) throw new CommandError(`unknown input: ${token}`);
    return [{ action, peer: Number(token.slice(1)) as PeerId }];
  });
}

function proposeChange(env: InteractionEnv, command: ScriptCommand): void {
  const transition = valueOf(command, "transition") ?? "auto";
  const steps = parseSteps(command.input);
  const isFirstVersion = valueOf(command, "v1") === "true";
  if (!["auto", "implicit", "explicit"].includes(transition)) throw new CommandError(`unknown transition ${transition}`);
  if (isFirstVersion && (steps.length > 1 || transition !== "auto")) {
    throw new CommandError("v1 conf change can only have one operation and no transition");
  }
  const change: ConfigurationChange = {
    version: isFirstVersion ? 1 : 2,
    transition: transition as Transition,
    steps,
    context: new Uint8Array(),
  };
  proposing(idOf(env, command), (node) => node.core.step({ kind: "changeConfiguration", ref: 0, change }));
}

function processReady(env: InteractionEnv, node: EnvNode): void {
  const ready = node.ready();
  if (ready === undefined) env.print("<empty Ready>");
  else handleReady(env, node, ready);
}

function handleReady(env: InteractionEnv, node: EnvNode, ready: Ready): void {
  const { output } = ready;
  const { persist } = output;
  const travelling: Envelope[] = output.send.map(envelopeOf);
  const lines = travelling.map(lineOf);
  if (node.isAsync) lines.push(...queueWork(node, ready));
  else {
    const after = output.sendAfter.map(({ message }) => envelopeOf(message));
    travelling.push(...after);
    lines.push(...after.map(lineOf));
  }
  printReady(env, ready, lines);
  env.messages.push(...travelling);
  if (node.isAsync) return;
  if (persist !== undefined) node.write(persist);
  node.applyEntries(output.apply);
  if (persist !== undefined) node.core.step({ kind: "persisted", token: persist.token });
  const last = output.apply[output.apply.length - 1];
  if (last !== undefined) node.core.step({ kind: "applied", index: last.index });
}

/** Gives the storage threads their work; the lines that etcd prints for it. */
function queueWork(node: EnvNode, ready: Ready): string[] {
  const { persist, sendAfter, apply } = ready.output;
  const own = node.id.toString(16);
  const lines: string[] = [];
  if (persist !== undefined) {
    const { hardState, snapshot, acknowledges } = persist;
    const responses = sendAfter.map(({ message }) => envelopeOf(message));
    if (acknowledges !== undefined) {
      const { term, last } = acknowledges;
      const text = { from: "AppendThread", to: own, type: "MsgStorageAppendResp", term, snapshot };
      const acknowledged = last === undefined ? text : { ...text, logTerm: last.term, index: last.index };
      responses.push({ kind: "appended", to: node.id, token: persist.token, text: acknowledged });
    }
    const base = { from: own, to: "AppendThread", type: "MsgStorageAppend", entries: persist.append, snapshot };
    const text = { ...base, term: hardState?.term ?? 0, vote: hardState?.vote ?? 0, commit: hardState?.commit ?? 0 };
    node.appendWork.push({ order: persist, text, responses });
    lines.push(lineOf({ text: { ...text, responses: responses.map((response) => response.text) } }));
  }
  const last = apply[apply.length - 1];
  if (last !== undefined) {
    const text = { from: own, to: "ApplyThread", type: "MsgStorageApply", term: 0, entries: apply };
    const done = { from: "ApplyThread", to: own, type: "MsgStorageApplyResp", term: 0, entries: apply };
    const response: Envelope = { kind: "applied", to: node.id, index: last.index, text: done };
    node.applyWork.push({ entries: apply, text, responses: [response] });
    lines.push(lineOf({ text: { ...text, responses: [done] } }));
  }
  return lines;
}

function printReady(env: InteractionEnv, ready: Ready, messages: readonly string[]): void {
  const { persist, apply } = ready.output;
  env.print(`Ready MustSync=${ready.mustSync}:`);
  if (ready.soft !== undefined) env.print(describeSoftState(ready.soft));
  if (persist?.hardState !== undefined) env.print(`HardState ${describeHardState(persist.hardState)}`);
  if (persist !== undefined && persist.append.length > 0) {
    env.print("Entries:");
    for (const entry of persist.append) env.print(describeEntry(entry));
  }
  if (persist?.snapshot !== undefined) env.print(`Snapshot ${describeSnapshot(persist.snapshot)}`);
  if (apply.length > 0) {
    env.print("CommittedEntries:");
    for (const entry of apply) env.print(describeEntry(entry));
  }
  if (messages.length > 0) {
    env.print("Messages:");
    for (const line of messages) env.print(line);
  }
}

function processAppend(env: InteractionEnv, node: EnvNode): void {
  const work = node.appendWork.shift();
  if (work === undefined) {
    env.print("no append work to perform");
    return;
  }
  env.print("Processing:");
  env.print(lineOf(work));
  node.write(work.order);
  env.print("Responses:");
  for (const response of work.responses) env.print(lineOf(response));
  env.messages.push(...work.responses);
}

function processApply(env: InteractionEnv, node: EnvNode): void {
  const work = node.applyWork.shift();
  if (work === undefined) {
    env.print("no apply work to perform");
    return;
  }
  env.print("Processing:");
  env.print(lineOf(work));
  node.applyEntries(work.entries);
  env.print("Responses:");
  for (const response of work.responses) env.print(lineOf(response));
  env.messages.push(...work.responses);
}

function deliver(env: InteractionEnv, command: ScriptCommand): void {
  const type = valueOf(command, "type");
  let count = 0;
  for (const argument of command.args) {
    const isDrop = argument.key === "drop";
    const ids = isDrop ? argument.values : argument.values.length === 0 ? [argument.key] : [];
    for (const id of ids) count += deliverTo(env, { id: Number(id), isDrop, type });
  }
  if (count === 0) env.print("no messages");
}

function stabilize(env: InteractionEnv, nodes: readonly EnvNode[]): void {
  let isDone = false;
  while (!isDone) {
    isDone = true;
    for (const node of nodes) {
      const ready = node.ready();
      if (ready === undefined) continue;
      env.print(`> ${node.id} handling Ready`);
      env.indent(() => handleReady(env, node, ready));
      isDone = false;
    }
    for (const node of nodes) {
      if (splitFor(env.messages, { id: node.id, isDrop: false, type: undefined }).taken.length === 0) continue;
      env.print(`> ${node.id} receiving messages`);
      env.indent(() => deliverTo(env, { id: node.id, isDrop: false, type: undefined }));
      isDone = false;
    }
    for (const node of nodes) {
      if (node.appendWork.length === 0) continue;
      env.print(`> ${node.id} processing append thread`);
      while (node.appendWork.length > 0) env.indent(() => processAppend(env, node));
      isDone = false;
    }
    for (const node of nodes) {
      if (node.applyWork.length === 0) continue;
      env.print(`> ${node.id} processing apply thread`);
      while (node.applyWork.length > 0) env.indent(() => processApply(env, node));
      isDone = false;
    }
  }
}

function printLog(env: InteractionEnv, node: EnvNode): void {
  const first = node.start.index + 1;
  const last = node.start.index + node.stored.length;
  if (last < first) env.print(`log is empty: first index=${first}, last index=${last}`);
  for (const entry of node.stored) env.print(describeEntry(entry));
}

function printStates(env: InteractionEnv): void {
  for (const node of env.nodes) {
    const view = node.core.view();
    const voter = isVoter(view.membership, node.id) ? "(Voter)" : "(Non-Voter)";
    env.print(`${node.id}: ${describeRole(view.role)} ${voter} Term:${view.term} Lead:${view.leader ?? 0}`);
  }
}

function sendSnapshot(env: InteractionEnv, command: ScriptCommand): void {
  const [from, to] = nodesOf(env, command);
  if (from === undefined || to === undefined) throw new CommandError("must specify exactly two node indexes");
  const view = from.core.view();
  const index = Math.max(...from.contents.keys()) as LogIndex;
  const membership = from.core.membershipAt(index);
  const entry = from.stored.find((stored) => stored.index === index);
  const term = index === from.start.index ? from.start.term : entry?.term;
  if (membership === undefined || term === undefined) throw new CommandError("no snapshot");
  const snapshot = { term, index, membership };
  const envelope = envelopeOf({ kind: "snapshotRequest", from: from.id, to: to.id, term: view.term, snapshot });
  env.messages.push(envelope);
  env.print(lineOf(envelope));
}
