import { findLocalProcess } from "../admin/find-local-process.ts";
import { findNode } from "../admin/find-node.ts";
import { order, requireConsent } from "../admin/carry-out.ts";
import { nodeDocument, nodeLines, nodesTable, readStatus, statusDocument } from "../admin/status-view.ts";
import { taskDocument, taskSentence } from "../admin/task-view.ts";
import { parseWords } from "../arguments.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../exit-code.ts";
import { openSession, type Session } from "../session.ts";
import { withRetries } from "../transfer/retry.ts";

export const adminNodeLs: Command = {
  usage: "admin node ls",
  summary: "the chunkservers",
  async run(words, { output }) {
    parseWords(words, {}, { min: 0, max: 0, usage: adminNodeLs.usage });
    const status = await readStatus(await openSession());
    output.document({ nodes: statusDocument(status)["nodes"] });
    output.line(nodesTable(status));
  },
};

export const adminNodeShow: Command = {
  usage: "admin node show NODE",
  summary: "one chunkserver (by name or id), and what it is doing",
  async run(words, { output }) {
    const parsed = parseWords(words, {}, { min: 1, max: 1, usage: adminNodeShow.usage });
    const session = await openSession();
    const node = findNode(await readStatus(session), parsed.positionals[0] ?? "");
    const fleet = await withRetries(() => session.fleet.getFleet({}));
    const task = fleet.tasks.find((candidate) => candidate.nodeId === node.nodeId);
    const disks = node.disks.map((disk) => ({
      path: disk.path,
      state: disk.state,
      usedBytes: Number(disk.usedBytes),
      capacityBytes: Number(disk.capacityBytes),
    }));
    const document = nodeDocument(node);
    output.document({ ...document, disks, task: task === undefined ? undefined : taskDocument(task) });
    for (const [name, value] of nodeLines(node)) output.line(`${name.padEnd(12)} ${value}`);
    if (task !== undefined) output.line(`${"task".padEnd(12)} ${taskSentence(task)}`);
  },
};

export const adminNodeLabel: Command = {
  usage: "admin node label NODE [--zone Z] [--rack R]",
  summary: "say where a node stands",
  async run(words, context) {
    const rules = { zone: { type: "string" }, rack: { type: "string" } } as const;
    const parsed = parseWords(words, rules, { min: 1, max: 1, usage: adminNodeLabel.usage });
    if (parsed.text("zone") === undefined && parsed.text("rack") === undefined)
      throw new UsageError(`Give --zone, --rack or both.\nusage: holdfast ${adminNodeLabel.usage}`);
    const session = await openSession();
    const node = findNode(await readStatus(session), parsed.positionals[0] ?? "");
    const { zone = node.zone, rack = node.rack } = { zone: parsed.text("zone"), rack: parsed.text("rack") };
    const value = { nodeId: node.nodeId, zone, rack };
    const { index } = await order(session, { case: "labelNode", value }, context);
    context.output.document({ node: node.name, nodeId: node.nodeId, zone, rack, index });
    context.output.line(`${node.name} stands in zone "${zone}"${rack === "" ? "" : `, rack "${rack}"`}.`);
  },
};

async function localProcessOf(session: Session, word: string): Promise<string> {
  const status = await readStatus(session);
  const { nodes: processes } = await withRetries(() => session.admin.listLocalNodes({}));
  return findLocalProcess(status, processes, word);
}

export const adminNodeStart: Command = {
  usage: "admin node start [NAME]",
  summary: "start one more chunkserver on the machine of npm start, or a stopped one",
  async run(words, { output }) {
    const parsed = parseWords(words, {}, { min: 0, max: 1, usage: adminNodeStart.usage });
    const session = await openSession();
    const [word] = parsed.positionals;
    const wanted = word === undefined ? "" : await localProcessOf(session, word);
    const { name } = await session.admin.startLocalNode({ name: wanted });
    output.document({ node: name });
    output.line(`${name} runs.`);
  },
};

export const adminNodeStop: Command = {
  usage: "admin node stop NAME [--yes]",
  summary: "stop a chunkserver on the machine of npm start, and keep it stopped",
  async run(words, context) {
    const parsed = parseWords(words, { yes: { type: "boolean" } }, { min: 1, max: 1, usage: adminNodeStop.usage });
    const session = await openSession();
    const status = await readStatus(session);
    const { nodes: processes } = await withRetries(() => session.admin.listLocalNodes({}));
    const name = findLocalProcess(status, processes, parsed.positionals[0] ?? "");
    const nodeId = processes.find((process) => process.name === name)?.nodeId ?? 0;
    const known = status.nodes.find((node) => (nodeId === 0 ? node.name === name : node.nodeId === nodeId));
    if (known !== undefined) {
      const question = { case: "lostNodes" as const, value: { nodeIds: [known.nodeId] } };
      const consent = { question, deed: `stop ${known.name}`, isYes: parsed.flag("yes") };
      await requireConsent(session, consent, { context, status });
    }
    await session.admin.stopLocalNode({ name });
    context.output.document({ node: name });
    context.output.line(`${name} is stopped, and stays so until it is started again.`);
  },
};
