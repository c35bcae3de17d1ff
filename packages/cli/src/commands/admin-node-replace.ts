import { randomBytes } from "node:crypto";
import { requireConsent, type FleetOrder } from "../admin/carry-out.ts";
import { findNode } from "../admin/find-node.ts";
import { joinTokenDocument, showJoinCommand } from "../admin/join-command.ts";
import { predictionDocument } from "../admin/prediction.ts";
import { readStatus } from "../admin/status-view.ts";
import { parseDurationMs, parseWords } from "../arguments.ts";
import type { Command } from "../command.ts";
import { openSession } from "../session.ts";

/** A command for a new machine that takes a node's place. Nothing changes until it comes. */
export const adminNodeReplace: Command = {
  usage: "admin node replace NODE [--ttl 1h] [--yes]",
  summary: "let a new machine take its name, place and copies, whether it is alive or gone",
  async run(words, context) {
    const rules = { ttl: { type: "string" }, yes: { type: "boolean", short: "y" } } as const;
    const parsed = parseWords(words, rules, { min: 1, max: 1, usage: adminNodeReplace.usage });
    const lifetimeMs = BigInt(Math.round(parseDurationMs(parsed.text("ttl") ?? "1h")));
    const session = await openSession();
    const status = await readStatus(session);
    const { name, nodeId } = findNode(status, parsed.positionals[0] ?? "");
    const label = `replaces ${name}`;
    const wish = { lifetimeMs, label, replacesNodeId: nodeId };
    // The question needs a token's shape; the token itself is made by the gateway, and shown to nobody else.
    const command: FleetOrder = { case: "issueJoinToken", value: { ...wish, tokenSha256: randomBytes(32) } };
    const question = { case: "command", value: { command } } as const;
    const consent = { question, deed: `replace ${name}`, isYes: parsed.flag("yes") };
    const prediction = await requireConsent(session, consent, { context, status });
    const issued = await session.admin.createJoinToken(wish);
    context.output.document({
      ...{ node: name, nodeId, ...joinTokenDocument(issued) },
      prediction: predictionDocument(prediction, status),
    });
    context.output.note(
      `Nothing has changed yet. When the new machine joins it is ${name}: the old one gives its copies to it, is removed, ` +
        "and can never come back. Until then this takes it back: " +
        `holdfast admin node join-token revoke ${issued.joinTokenId}`,
    );
    showJoinCommand(issued, context);
  },
};
