import { assert } from "@holdfast/base";
import type { Message } from "../../core/messages.ts";
import { membersOf } from "../../core/membership.ts";
import { lineOf, type EnvNode, type Envelope } from "./env-node.ts";

/** Who is to get messages, of one etcd type or all. */
export interface Recipient {
  readonly id: number;
  readonly isDrop: boolean;
  readonly type: string | undefined;
}

/** What delivery needs of the environment. */
export interface DeliveryEnv {
  readonly nodes: readonly EnvNode[];
  messages: Envelope[];
  print(line: string): void;
}

/** Messages for the recipient, in order, and the rest. What a node tells itself and its threads is never dropped. */
export function splitFor(messages: readonly Envelope[], to: Recipient): { taken: Envelope[]; rest: Envelope[] } {
  const taken: Envelope[] = [];
  const rest: Envelope[] = [];
  for (const envelope of messages) {
    const isLocal = envelope.kind !== "peer" || envelope.text.from === envelope.text.to;
    const isMeant = envelope.to === to.id && !(to.isDrop && isLocal);
    const isOfType = to.type === undefined || envelope.text.type === to.type;
    (isMeant && isOfType ? taken : rest).push(envelope);
  }
  return { taken, rest };
}

/** Delivers or drops; how many. */
export function deliverTo(env: DeliveryEnv, to: Recipient): number {
  const { taken, rest } = splitFor(env.messages, to);
  env.messages = rest;
  for (const envelope of taken) {
    env.print(`${to.isDrop ? "dropped: " : ""}${lineOf(envelope)}`);
    if (to.isDrop) continue;
    const node = env.nodes[to.id - 1];
    assert(node !== undefined, "messages are delivered to nodes that exist");
    const failure = stepEnvelope(env, node, envelope);
    if (failure !== undefined) env.print(failure);
  }
  return taken.length;
}

function stepEnvelope(env: DeliveryEnv, node: EnvNode, envelope: Envelope): string | undefined {
  if (envelope.kind === "appended") {
    node.core.step({ kind: "persisted", token: envelope.token });
  } else if (envelope.kind === "applied") {
    node.core.step({ kind: "applied", index: envelope.index });
  } else {
    return stepMessage(env, node, envelope.message);
  }
  return undefined;
}

const responses: ReadonlySet<Message["kind"]> = new Set([
  "appendResponse",
  "voteResponse",
  "heartbeatResponse",
  "readIndexResponse",
]);

function stepMessage(env: DeliveryEnv, node: EnvNode, message: Message): string | undefined {
  const before = node.core.view();
  if (responses.has(message.kind) && !membersOf(before.membership).includes(message.from)) {
    return "raft: cannot step as peer not found";
  }
  if (message.kind === "snapshotRequest") takeContent(env, node, message);
  node.core.step({ kind: "receive", message });
  if (message.kind !== "forwardedProposal") return undefined;
  const isTaken =
    before.role === "leader"
      ? node.core.view().lastIndex > before.lastIndex
      : before.role === "follower" && before.leader !== undefined;
  return isTaken ? undefined : "raft proposal dropped";
}

/** The bytes of a snapshot travel beside the scripts: the receiver gets what the sender held at that index. */
function takeContent(env: DeliveryEnv, node: EnvNode, message: Extract<Message, { kind: "snapshotRequest" }>): void {
  const { index } = message.snapshot;
  const content = env.nodes[message.from - 1]?.contents.get(index);
  if (content === undefined || index <= node.core.view().commitIndex) return;
  node.content = content;
  node.contents.set(index, content);
}
