import { formatBytes } from "@holdfast/base";
import { order, requireConsent, type FleetOrder } from "../admin/carry-out.ts";
import { nodeName } from "../admin/find-node.ts";
import { readStatus, repairSentence } from "../admin/status-view.ts";
import { parseWords } from "../arguments.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../exit-code.ts";
import { formatDuration, formatTable, formatTime } from "../output.ts";
import { openSession } from "../session.ts";
import { withRetries } from "../transfer/retry.ts";
import { copiesOf } from "./admin-what-if.ts";

export const adminBalance: Command = {
  usage: "admin balance [pause|resume]",
  summary: "how evenly the nodes are filled, and what is moved for it",
  async run(words, context) {
    const [action] = parseWords(words, {}, { min: 0, max: 1, usage: adminBalance.usage }).positionals;
    const session = await openSession();
    if (action !== undefined) {
      const isBalancePaused = pauseOf(action, adminBalance.usage);
      await order(session, { case: "setHousekeeping", value: { isBalancePaused } }, context);
    }
    const { balance } = await withRetries(() => session.fleet.getFleet({}));
    const document = {
      isPaused: balance?.isPaused ?? false,
      plannedMoves: Number(balance?.plannedMoves ?? 0),
      activeMoves: Number(balance?.activeMoves ?? 0),
      doneMoves: Number(balance?.doneMoves ?? 0),
      bytesPerSecond: Number(balance?.bytesPerSecond ?? 0),
      remainingMs: Number(balance?.remainingMs ?? 0),
      spreadPercent: (balance?.spreadPerMille ?? 0) / 10,
      stoppedReason: balance?.stoppedReason ?? "",
    };
    context.output.document(document);
    context.output.line(
      `Balancing ${document.isPaused ? "is paused" : "is on"}: the fullest and the emptiest node are ${document.spreadPercent} % apart; ${document.activeMoves} copies move, ${document.plannedMoves} wait, ${document.doneMoves} done.`,
    );
    if (document.bytesPerSecond > 0)
      context.output.line(
        `${formatBytes(document.bytesPerSecond)} a second${document.remainingMs < 1000 ? "" : `, about ${formatDuration(document.remainingMs / 1000)} left`}.`,
      );
    if (document.stoppedReason !== "") context.output.line(document.stoppedReason);
  },
};

export const adminRepair: Command = {
  usage: "admin repair [pause|resume|accept-loss]",
  summary: "what is copied to make chunks whole; accept-loss: go on although many nodes vanished at once",
  async run(words, context) {
    const [action] = parseWords(words, {}, { min: 0, max: 1, usage: adminRepair.usage }).positionals;
    const session = await openSession();
    if (action !== undefined) {
      const value =
        action === "accept-loss"
          ? { isMassLossAccepted: true }
          : { isRepairPaused: pauseOf(action, adminRepair.usage) };
      await order(session, { case: "setHousekeeping", value }, context);
    }
    const status = await readStatus(session);
    const { isRepairPaused } = await withRetries(() => session.fleet.getFleet({}));
    const { repair } = status;
    context.output.document({
      isPaused: isRepairPaused,
      waitingChunks: Number(repair?.waitingChunks ?? 0),
      activeChunks: Number(repair?.activeChunks ?? 0),
      bytesPerSecond: Number(repair?.bytesPerSecond ?? 0),
      remainingMs: Number(repair?.remainingMs ?? 0),
      stoppedReason: repair?.stoppedReason ?? "",
    });
    if (isRepairPaused) context.output.line("Repair is paused by an administrator.");
    const sentence = repairSentence(status);
    context.output.line(sentence === "" ? "There is nothing to repair." : sentence);
  },
};

function pauseOf(action: string, usage: string): boolean {
  if (action !== "pause" && action !== "resume") throw new UsageError(`usage: holdfast ${usage}`);
  return action === "pause";
}

export const adminReplication: Command = {
  usage: "admin replication N [--yes]",
  summary: "copies wanted of every chunk from now on, old ones included",
  async run(words, context) {
    const parsed = parseWords(
      words,
      { yes: { type: "boolean", short: "y" } },
      { min: 1, max: 1, usage: adminReplication.usage },
    );
    const replication = copiesOf(parsed.positionals[0] ?? "", adminReplication.usage);
    const session = await openSession();
    const status = await readStatus(session);
    const command: FleetOrder = { case: "setReplication", value: { replication } };
    const question = { case: "command", value: { command } } as const;
    const consent = { question, deed: `keep ${replication} copies`, isYes: parsed.flag("yes") };
    await requireConsent(session, consent, { context, status });
    const { index } = await order(session, command, context);
    context.output.document({ replication, index });
    context.output.line(`Every chunk is to have ${replication} copies.`);
  },
};

export const adminChunk: Command = {
  usage: "admin chunk ID",
  summary: "why copies of a chunk came and went",
  async run(words, { output }) {
    const [text = ""] = parseWords(words, {}, { min: 1, max: 1, usage: adminChunk.usage }).positionals;
    if (!/^[1-9][0-9]{0,15}$/.test(text)) throw new UsageError(`usage: holdfast ${adminChunk.usage}`);
    const session = await openSession();
    const status = await readStatus(session);
    const ledger = await withRetries(() => session.fleet.getChunkLedger({ chunkId: BigInt(text) }));
    const named = (nodeIds: readonly number[]): readonly string[] => nodeIds.map((nodeId) => nodeName(status, nodeId));
    const entries = ledger.entries.map((entry) => ({
      index: Number(entry.index),
      atMs: Number(entry.atMs),
      kind: entry.kind,
      node: nodeName(status, entry.nodeId),
      reason: entry.reason,
      actor: entry.actor,
      evidence: entry.kind === "trimOrdered" ? named(entry.evidenceNodeIds) : undefined,
      term: entry.kind === "trimOrdered" ? Number(entry.term) : undefined,
    }));
    output.document({
      chunkId: Number(text),
      placed: named(ledger.placedNodeIds),
      confirmed: named(ledger.confirmedNodeIds),
      entries,
    });
    output.line(`Placed on ${named(ledger.placedNodeIds).join(", ") || "no node"}.`);
    output.line(`Confirmed on ${named(ledger.confirmedNodeIds).join(", ") || "no node"}.\n`);
    const rows = entries.map((entry) => [
      formatTime(entry.atMs),
      entry.index,
      entry.kind,
      entry.node,
      entry.evidence === undefined ? entry.reason : `${entry.reason}; others then: ${entry.evidence.join(", ")}`,
      entry.actor,
    ]);
    output.line(formatTable(["AT", "INDEX", "WHAT", "NODE", "WHY", "BY"], rows));
  },
};
