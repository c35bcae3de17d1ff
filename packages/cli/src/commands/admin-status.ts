import { formatBytes } from "@holdfast/base";
import { setTimeout as delay } from "node:timers/promises";
import { fleetDocument, fleetSentences } from "../admin/fleet-view.ts";
import { parseDurationMs, parseWords } from "../arguments.ts";
import {
  healthSentence,
  mastersTable,
  nodesTable,
  readStatus,
  repairSentence,
  statusDocument,
} from "../admin/status-view.ts";
import type { Command } from "../command.ts";
import { exitCodes, ExitSignal } from "../exit-code.ts";
import { formatTime } from "../output.ts";
import { openSession } from "../session.ts";
import { withRetries } from "../transfer/retry.ts";

export const adminStatus: Command = {
  usage: "admin status",
  summary: "masters, nodes, health of the data",
  async run(words, { output }) {
    parseWords(words, {}, { min: 0, max: 0, usage: adminStatus.usage });
    const session = await openSession();
    const status = await readStatus(session);
    const fleet = await withRetries(() => session.fleet.getFleet({}));
    output.document({ ...statusDocument(status), ...fleetDocument(fleet, status) });
    const sentences = [healthSentence(status), repairSentence(status), ...fleetSentences(fleet, status)];
    output.line(`${sentences.filter((line) => line !== "").join("\n")}\n`);
    output.line(`${mastersTable(status)}\n`);
    output.line(nodesTable(status));
    output.line(`\n${Number(status.files?.total ?? 0)} files, ${formatBytes(Number(status.files?.bytes ?? 0))}`);
  },
};

export const adminHealth: Command = {
  usage: "admin health [--wait] [--timeout 60s] [--strict]",
  summary: "whether every chunk has its full number of copies",
  async run(words, { output, signal }) {
    const rules = { wait: { type: "boolean" }, strict: { type: "boolean" }, timeout: { type: "string" } } as const;
    const parsed = parseWords(words, rules, { min: 0, max: 0, usage: adminHealth.usage });
    const session = await openSession();
    const untilMs = performance.now() + parseDurationMs(parsed.text("timeout") ?? "60s");
    for (;;) {
      const status = await readStatus(session);
      const { chunks } = status;
      const isHealthy = Number(chunks?.under ?? 0) + Number(chunks?.missing ?? 0) === 0;
      if (isHealthy || !parsed.flag("wait") || performance.now() > untilMs) {
        output.document({ isHealthy, ...(statusDocument(status)["chunks"] as object) });
        output.line(healthSentence(status));
        if (!isHealthy && (parsed.flag("strict") || parsed.flag("wait")))
          throw new ExitSignal(exitCodes.unhealthy, "The cluster is not fully healthy.");
        return;
      }
      await delay(500, undefined, { signal });
    }
  },
};

export const adminEvents: Command = {
  usage: "admin events [-f] [--limit N]",
  summary: "what happened, newest last; -f keeps following",
  async run(words, { output, signal }) {
    const parsed = parseWords(
      words,
      { follow: { type: "boolean", short: "f" }, limit: { type: "string" } },
      { min: 0, max: 0, usage: adminEvents.usage },
    );
    const session = await openSession();
    const limit = Math.max(1, Math.min(1_000, Number(parsed.text("limit") ?? "50") || 50));
    let shownIndex = 0n;
    for (;;) {
      const { events } = await withRetries(() =>
        session.admin.listEvents({ limit: shownIndex === 0n ? limit : 1_000 }),
      );
      for (const event of events.filter((candidate) => candidate.index > shownIndex).reverse()) {
        output.record({
          index: event.index,
          at: new Date(Number(event.atMs)).toISOString(),
          actor: event.actor,
          type: event.type,
          summary: event.summary,
          drillId: event.drillId === 0n ? undefined : event.drillId,
        });
        const mark = event.drillId === 0n ? "" : "  [drill]";
        output.line(
          `${formatTime(Number(event.atMs))}  ${String(event.index).padStart(8)}  ${event.type.padEnd(18)}  ${event.summary}${mark}`,
        );
      }
      shownIndex = events[0]?.index ?? shownIndex;
      if (!parsed.flag("follow")) return;
      await delay(1_000, undefined, { signal });
    }
  },
};
