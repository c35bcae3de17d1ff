import { order } from "../admin/carry-out.ts";
import { findNode, nodeName } from "../admin/find-node.ts";
import { readStatus } from "../admin/status-view.ts";
import { drillWord } from "../admin/words.ts";
import { parseWords } from "../arguments.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../exit-code.ts";
import { formatTable, formatTime } from "../output.ts";
import { openSession } from "../session.ts";
import { withRetries } from "../transfer/retry.ts";

export const adminFaultStop: Command = {
  usage: "admin fault stop NODE | --all",
  summary: "end its drills now",
  async run(words, context) {
    const parsed = parseWords(
      words,
      { all: { type: "boolean" }, kind: { type: "string" } },
      { min: 0, max: 1, usage: adminFaultStop.usage },
    );
    const word = parsed.positionals[0];
    if ((word === undefined) !== parsed.flag("all")) throw new UsageError(`usage: holdfast ${adminFaultStop.usage}`);
    const session = await openSession();
    const nodeId = word === undefined ? 0 : findNode(await readStatus(session), word).nodeId;
    const { index } = await order(session, { case: "stopDrill", value: { drillId: 0n, nodeId } }, context);
    context.output.document({ nodeId: nodeId === 0 ? undefined : nodeId, index });
    context.output.line(word === undefined ? "No drill runs any more." : `No drill runs on ${word} any more.`);
  },
};

export const adminFaultLs: Command = {
  usage: "admin fault ls",
  summary: "the drills that run",
  async run(words, { output }) {
    parseWords(words, {}, { min: 0, max: 0, usage: adminFaultLs.usage });
    const session = await openSession();
    const status = await readStatus(session);
    const { drills } = await withRetries(() => session.fleet.getFleet({}));
    const rows = drills.map((drill) => ({
      drillId: Number(drill.drillId),
      node: nodeName(status, drill.nodeId),
      kind: drillWord(drill.kind),
      startedAtMs: Number(drill.startedAtMs),
      endsAtMs: Number(drill.endsAtMs),
      actor: drill.actor,
    }));
    output.document({ drills: rows });
    if (rows.length === 0) return output.line("No drill runs.");
    output.line(
      formatTable(
        ["DRILL", "NODE", "KIND", "ENDS", "BY"],
        rows.map((drill) => [drill.drillId, drill.node, drill.kind, formatTime(drill.endsAtMs), drill.actor]),
      ),
    );
  },
};
