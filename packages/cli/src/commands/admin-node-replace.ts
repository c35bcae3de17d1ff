import { randomBytes } from "node:crypto";
import { requireConsent, type FleetOrder } from "../admin/carry-out.ts";
import { findNode } from "../admin/find-node.ts";
import { joinTokenDocument, showJoinCommand } from "../admin/join-command.ts";
import { predictionDocument } from "../admin/prediction.ts";
import { readStatus } from "../admin/status-view.ts";
import { parseDurationMs, parseWords } from "../arguments.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../exit-code.ts";
import { openSession } from "../session.ts";

const whatFollows = "the old one gives its copies to it, is removed, and can never come back";

/** A command for a new machine that takes a node's place, or a new node here that does. Nothing changes until it comes. */
export const adminNodeReplace: Command = {
  usage: "admin node replace NODE [--ttl 1h | --here] [--yes]",
  summary: "let a new machine, or a new node here, take its name, place and copies, whether it is alive or gone",
  async run(words, context) {
    const [ttl, yes] = [{ type: "string" } as const, { type: "boolean", short: "y" } as const];
    const rules = { ttl, here: { type: "boolean" }, yes } as const;
    const parsed = parseWords(words, rules, { min: 1, max: 1, usage: adminNodeReplace.usage });
    const isHere = parsed.flag("here");
    if (isHere && parsed.text("ttl") !== undefined)
      throw new UsageError(
        `With --here no command is made, so --ttl says nothing.\nusage: holdfast ${adminNodeReplace.usage}`,
      );
    const lifetimeMs = BigInt(Math.round(parseDurationMs(parsed.text("ttl") ?? "1h")));
    const session = await openSession();
    const status = await readStatus(session);
    const { name, nodeId } = findNode(status, parsed.positionals[0] ?? "");
    const wish = { lifetimeMs, replacesNodeId: nodeId };
    // The question needs a token's shape; the token itself is made by the gateway, and shown to nobody else.
    const command: FleetOrder = { case: "issueJoinToken", value: { ...wish, tokenSha256: randomBytes(32) } };
    const question = { case: "command", value: { command } } as const;
    const consent = { question, deed: `replace ${name}`, isYes: parsed.flag("yes") };
    const prediction = await requireConsent(session, consent, { context, status });
    if (isHere) {
      const { name: process, joinTokenId } = await session.admin.startLocalNode({ replacesNodeId: nodeId });
      const document = { node: name, nodeId, process, joinTokenId };
      context.output.document({ ...document, prediction: predictionDocument(prediction, status) });
      context.output.line(
        `${process} was started on the machine of npm start. When it joins it is ${name}: ${whatFollows}.`,
      );
      return;
    }
    const issued = await session.admin.createJoinToken(wish);
    context.output.document({
      ...{ node: name, nodeId, ...joinTokenDocument(issued) },
      prediction: predictionDocument(prediction, status),
    });
    context.output.note(
      `Nothing has changed yet. When the new machine joins it is ${name}: ${whatFollows}. Until then this takes it back: ` +
        `holdfast admin node join-token revoke ${issued.joinTokenId}`,
    );
    showJoinCommand(issued, context);
  },
};
