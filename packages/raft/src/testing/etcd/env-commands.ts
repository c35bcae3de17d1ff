import type { ConfigurationChange, Transition } from "../../core/entries.ts";
import { isVoter } from "../../core/quorum.ts";
import type { LogIndex, PeerId } from "../../core/types.ts";
import { CommandError } from "./command-error.ts";
import type { ScriptArgument, ScriptCommand } from "./datadriven.ts";
import { describeEntry, describePeer, describeRole } from "./describe.ts";
import { deliverTo } from "./env-delivery.ts";
import { EnvNode, envelopeOf, lineOf, type NodeOptions } from "./env-node.ts";
import { processAppend, processApply, processReady, stabilize } from "./env-work.ts";
import type { InteractionEnv } from "./interaction.ts";
import { parseSteps } from "./parse-steps.ts";

/** What a command does to the environment; throws `CommandError` for what a script may expect to be refused. */
export type Handler = (env: InteractionEnv, command: ScriptCommand) => void;

/** Every command of etcd's interaction scripts. */
export const commandHandlers: Readonly<Record<string, Handler>> = {
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
  return command.args
    .filter((argument) => argument.values.length === 0)
    .map((argument) => env.node(Number(argument.key)));
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
  if (options.leaseReads && !options.checkQuorum) {
    throw new CommandError("CheckQuorum must be enabled when ReadOnlyOption is ReadOnlyLeaseBased");
  }
  if (options.inflight <= 0) throw new CommandError("max inflight messages must be greater than 0");
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

function proposeChange(env: InteractionEnv, command: ScriptCommand): void {
  const transition = valueOf(command, "transition") ?? "auto";
  const steps = parseSteps(command.input);
  const isFirstVersion = valueOf(command, "v1") === "true";
  if (!["auto", "implicit", "explicit"].includes(transition))
    throw new CommandError(`unknown transition ${transition}`);
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
