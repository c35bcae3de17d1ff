import { setTimeout as delay } from "node:timers/promises";
import type { GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";
import { Intent, Liveness } from "@holdfast/proto/model/v1/model";
import { HoldfastError } from "@holdfast/base";
import { parseDurationMs, parseWords } from "../arguments.ts";
import type { Command } from "../command.ts";
import { exitCodes, ExitSignal } from "../exit-code.ts";
import { formatBytes, formatTable, formatTime } from "../output.ts";
import { openSession, type Session } from "../session.ts";
import { withRetries } from "../transfer/retry.ts";

const livenessWords: Readonly<Record<number, string>> = {
  [Liveness.UNSPECIFIED]: "unknown",
  [Liveness.LIVE]: "live",
  [Liveness.SUSPECT]: "suspect",
  [Liveness.DEAD]: "dead",
};
const intentWords: Readonly<Record<number, string>> = {
  [Intent.UNSPECIFIED]: "unknown",
  [Intent.ACTIVE]: "active",
  [Intent.DRAINING]: "draining",
  [Intent.DRAINED]: "drained",
  [Intent.MAINTENANCE]: "maintenance",
  [Intent.REMOVED]: "removed",
  [Intent.FAILED]: "failed",
};

async function readStatus(session: Session): Promise<GetClusterStatusResponse> {
  const { status } = await withRetries(() => session.admin.getStatus({}));
  if (status === undefined)
    throw new HoldfastError("unavailable", "The cluster did not answer with its status. Try again.");
  return status;
}

/** The document that contract.md promises. */
function statusDocument(status: GetClusterStatusResponse): Record<string, unknown> {
  const { chunks, files } = status;
  return {
    clusterId: status.clusterId,
    index: Number(status.index),
    replication: status.replication,
    chunkSizeBytes: status.chunkSizeBytes,
    masters: status.masters.map((master) => ({
      name: master.name,
      role: master.role,
      term: Number(master.term),
      appliedIndex: Number(master.appliedIndex),
      commitIndex: Number(master.commitIndex),
      address: master.address,
    })),
    nodes: status.nodes.map((node) => ({
      name: node.name,
      nodeId: node.nodeId,
      liveness: livenessWords[node.liveness] ?? "unknown",
      intent: intentWords[node.intent] ?? "unknown",
      chunkCount: Number(node.chunkCount),
      usedBytes: Number(node.usedBytes),
      capacityBytes: Number(node.capacityBytes),
      freeBytes: Number(node.freeBytes),
      ip: node.ip,
      mac: node.mac,
      address: node.address,
      zone: node.zone,
      heartbeatAgeMs: Number(node.heartbeatAgeMs),
    })),
    chunks: {
      total: Number(chunks?.total ?? 0),
      healthy: Number(chunks?.healthy ?? 0),
      under: Number(chunks?.under ?? 0),
      over: Number(chunks?.over ?? 0),
      missing: Number(chunks?.missing ?? 0),
      corrupt: Number(chunks?.corrupt ?? 0),
    },
    files: { total: Number(files?.total ?? 0), bytes: Number(files?.bytes ?? 0) },
    repair: {
      waitingChunks: Number(status.repair?.waitingChunks ?? 0),
      activeChunks: Number(status.repair?.activeChunks ?? 0),
      bytesPerSecond: Number(status.repair?.bytesPerSecond ?? 0),
      remainingMs: Number(status.repair?.remainingMs ?? 0),
      stoppedReason: status.repair?.stoppedReason ?? "",
    },
  };
}

function mastersTable(status: GetClusterStatusResponse): string {
  return formatTable(
    ["MASTER", "ROLE", "TERM", "APPLIED", "ADDRESS"],
    status.masters.map((master) => [
      master.name,
      master.role,
      Number(master.term),
      Number(master.appliedIndex),
      master.address,
    ]),
  );
}

function nodesTable(status: GetClusterStatusResponse): string {
  return formatTable(
    ["NODE", "LIVENESS", "INTENT", "CHUNKS", "USED", "CAPACITY", "IP", "MAC"],
    status.nodes.map((node) => [
      node.name,
      livenessWords[node.liveness] ?? "unknown",
      intentWords[node.intent] ?? "unknown",
      Number(node.chunkCount),
      formatBytes(Number(node.usedBytes)),
      formatBytes(Number(node.capacityBytes)),
      node.ip,
      node.mac,
    ]),
  );
}

/** One sentence about data, from the chunk map. */
export function healthSentence(status: GetClusterStatusResponse): string {
  const total = Number(status.chunks?.total ?? 0);
  const missing = Number(status.chunks?.missing ?? 0);
  const under = Number(status.chunks?.under ?? 0);
  if (missing > 0) return `${missing} of ${total} chunks have no readable copy now.`;
  if (under > 0)
    return `${under} of ${total} chunks have fewer than ${status.replication} confirmed copies; none is lost.`;
  return total === 0 ? "No chunks are stored yet." : `All ${total} chunks have ${status.replication} confirmed copies.`;
}

/** One sentence about the copying that makes it whole again; empty when there is none. */
export function repairSentence({ repair }: GetClusterStatusResponse): string {
  if (repair === undefined) return "";
  if (repair.stoppedReason !== "") return `Repair is stopped: ${repair.stoppedReason}`;
  if (repair.waitingChunks + repair.activeChunks === 0n) return "";
  const work = `Repair: ${repair.activeChunks} chunks are being copied, ${repair.waitingChunks} wait`;
  if (repair.bytesPerSecond === 0n) return `${work}.`;
  const seconds = Math.ceil(Number(repair.remainingMs) / 1000);
  return `${work}; ${formatBytes(Number(repair.bytesPerSecond))} a second, about ${seconds} s left.`;
}

export const adminStatus: Command = {
  usage: "admin status",
  summary: "masters, nodes, health of the data",
  async run(words, { output }) {
    parseWords(words, {}, { min: 0, max: 0, usage: adminStatus.usage });
    const status = await readStatus(await openSession());
    output.document(statusDocument(status));
    output.line(`${[healthSentence(status), repairSentence(status)].filter((line) => line !== "").join("\n")}\n`);
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
  usage: "admin node show NAME",
  summary: "one chunkserver",
  async run(words, { output }) {
    const parsed = parseWords(words, {}, { min: 1, max: 1, usage: adminNodeShow.usage });
    const status = await readStatus(await openSession());
    const nodes = statusDocument(status)["nodes"] as readonly Record<string, unknown>[];
    const node = nodes.find((candidate) => candidate["name"] === parsed.positionals[0]);
    if (node === undefined)
      throw new HoldfastError("notFound", `There is no node named ${parsed.positionals[0] ?? ""}.`);
    output.document(node);
    for (const [name, value] of Object.entries(node)) output.line(`${name.padEnd(16)}${String(value)}`);
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
        });
        output.line(
          `${formatTime(Number(event.atMs))}  ${String(event.index).padStart(8)}  ${event.type.padEnd(18)}  ${event.summary}`,
        );
      }
      shownIndex = events[0]?.index ?? shownIndex;
      if (!parsed.flag("follow")) return;
      await delay(1_000, undefined, { signal });
    }
  },
};
