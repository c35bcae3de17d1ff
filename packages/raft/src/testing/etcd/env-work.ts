import { deliverTo, splitFor } from "./env-delivery.ts";
import { describeEntry, describeHardState, describeSnapshot, describeSoftState } from "./describe.ts";
import { envelopeOf, lineOf, type Envelope, type EnvNode, type Ready } from "./env-node.ts";
import type { InteractionEnv } from "./interaction.ts";

/** Takes a node's Ready, prints and handles it. */
export function processReady(env: InteractionEnv, node: EnvNode): void {
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
  const lines = linesOfReady(ready, messages);
  env.print(lines.length === 0 ? "<empty Ready>" : `Ready MustSync=${ready.mustSync}:`);
  for (const line of lines) env.print(line);
}

function linesOfReady(ready: Ready, messages: readonly string[]): string[] {
  const { persist, apply } = ready.output;
  const lines: string[] = [];
  if (ready.soft !== undefined) lines.push(describeSoftState(ready.soft));
  if (persist?.hardState !== undefined) lines.push(`HardState ${describeHardState(persist.hardState)}`);
  if (persist !== undefined && persist.append.length > 0) {
    lines.push("Entries:");
    for (const entry of persist.append) lines.push(describeEntry(entry));
  }
  if (persist?.snapshot !== undefined) lines.push(`Snapshot ${describeSnapshot(persist.snapshot)}`);
  if (apply.length > 0) {
    lines.push("CommittedEntries:");
    for (const entry of apply) lines.push(describeEntry(entry));
  }
  if (messages.length > 0) {
    lines.push("Messages:");
    lines.push(...messages);
  }
  return lines;
}

/** The append thread does its oldest piece of work. */
export function processAppend(env: InteractionEnv, node: EnvNode): void {
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

/** The apply thread does its oldest piece of work. */
export function processApply(env: InteractionEnv, node: EnvNode): void {
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

/** Works until nothing is left: all Readys, then messages, append work and apply work, node by node. */
export function stabilize(env: InteractionEnv, nodes: readonly EnvNode[]): void {
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
