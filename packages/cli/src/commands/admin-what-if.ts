import { randomBytes } from "node:crypto";
import { type FleetOrder } from "../admin/carry-out.ts";
import { findNode, nodeName } from "../admin/find-node.ts";
import { predictionDocument, predictionText } from "../admin/prediction.ts";
import { readStatus } from "../admin/status-view.ts";
import { parseDurationMs, parseWords, type Parsed } from "../arguments.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../exit-code.ts";
import { openSession } from "../session.ts";
import { withRetries } from "../transfer/retry.ts";
import type { WeakPoint } from "@holdfast/proto/fleet/v1/fleet";
import type { GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";

export const adminWhatIf: Command = {
  usage:
    "admin what-if --nodes A,B | --zone Z | drain NODE | fail NODE | remove NODE | replace NODE | maintenance NODE [--for 30m] | replication N",
  summary: "what would happen; changes nothing",
  async run(words, { output }) {
    const rules = { nodes: { type: "string" }, zone: { type: "string" }, for: { type: "string" } } as const;
    const parsed = parseWords(words, rules, { min: 0, max: 2, usage: adminWhatIf.usage });
    const session = await openSession();
    const status = await readStatus(session);
    const question = questionOf(parsed, status);
    const prediction = await withRetries(() => session.fleet.predict({ question }));
    output.document(predictionDocument(prediction, status));
    output.line(predictionText(prediction, status));
    if (prediction.refusal !== "") output.line(`It would be refused: ${prediction.refusal}`);
  },
};

function questionOf(parsed: Parsed, status: GetClusterStatusResponse) {
  const [verb, subject] = parsed.positionals;
  const [nodes, zone] = [parsed.text("nodes"), parsed.text("zone")];
  if ([nodes, zone, verb].filter((given) => given !== undefined).length !== 1)
    throw new UsageError(`usage: holdfast ${adminWhatIf.usage}`);
  if (nodes !== undefined) {
    const words = nodes.split(",").map((word) => word.trim());
    return { case: "lostNodes", value: { nodeIds: words.map((word) => findNode(status, word).nodeId) } } as const;
  }
  if (zone !== undefined) return { case: "lostZone", value: zone } as const;
  if (subject === undefined) throw new UsageError(`usage: holdfast ${adminWhatIf.usage}`);
  return { case: "command", value: { command: orderOf({ verb: verb ?? "", subject, parsed }, status) } } as const;
}

function orderOf(
  wish: { readonly verb: string; readonly subject: string; readonly parsed: Parsed },
  status: GetClusterStatusResponse,
): FleetOrder {
  if (wish.verb === "replication")
    return { case: "setReplication", value: { replication: copiesOf(wish.subject, adminWhatIf.usage) } };
  if (!["drain", "fail", "remove", "replace", "maintenance"].includes(wish.verb))
    throw new UsageError(`usage: holdfast ${adminWhatIf.usage}`);
  const { nodeId } = findNode(status, wish.subject);
  if (wish.verb === "drain") return { case: "drainNode", value: { nodeId } };
  if (wish.verb === "fail") return { case: "failNode", value: { nodeId } };
  if (wish.verb === "remove") return { case: "removeNode", value: { nodeId } };
  if (wish.verb === "replace") {
    const value = { tokenSha256: randomBytes(32), lifetimeMs: 3_600_000n, replacesNodeId: nodeId };
    return { case: "issueJoinToken", value };
  }
  const durationMs = BigInt(Math.round(parseDurationMs(wish.parsed.text("for") ?? "30m")));
  return { case: "startMaintenance", value: { nodeId, durationMs } };
}

/** A number of copies. Errors: `UsageError`. */
export function copiesOf(text: string, usage: string): number {
  if (!/^[1-9]$/.test(text)) throw new UsageError(`The number of copies is 1 to 9.\nusage: holdfast ${usage}`);
  return Number(text);
}

export const adminWeakest: Command = {
  usage: "admin weakest",
  summary: "the node, pair and zone whose loss would hurt most",
  async run(words, { output }) {
    parseWords(words, {}, { min: 0, max: 0, usage: adminWeakest.usage });
    const session = await openSession();
    const status = await readStatus(session);
    const weakest = await withRetries(() => session.fleet.getWeakest({}));
    const { node, pair, zone } = weakest;
    const documentOf = (point: WeakPoint | undefined) =>
      point === undefined
        ? undefined
        : {
            nodes: point.nodeIds.map((nodeId) => nodeName(status, nodeId)),
            zone: point.zone === "" ? undefined : point.zone,
            chunksLost: Number(point.chunksLost),
            chunksAtOne: Number(point.chunksAtOne),
            filesLost: Number(point.filesLost),
          };
    output.document({
      node: documentOf(node),
      pair: documentOf(pair),
      zone: documentOf(zone),
      index: Number(weakest.index),
    });
    for (const [kind, point] of Object.entries({ node, pair, zone }))
      if (point !== undefined && (point.nodeIds.length > 0 || point.zone !== ""))
        output.line(`${kind.padEnd(5)} ${weakSentence(point, status)}`);
  },
};

function weakSentence(point: WeakPoint, status: GetClusterStatusResponse): string {
  const names = point.nodeIds.map((nodeId) => nodeName(status, nodeId)).join(" and ");
  const who = point.zone === "" ? names : `zone "${point.zone}"`;
  const lost =
    point.chunksLost === 0n
      ? "nothing would be unreadable"
      : `${point.filesLost} files and ${point.chunksLost} chunks would have no readable copy`;
  return `${who}: ${lost}, ${point.chunksAtOne} chunks would be down to one copy.`;
}
