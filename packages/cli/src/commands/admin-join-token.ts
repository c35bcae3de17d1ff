import { order } from "../admin/carry-out.ts";
import { nodeName } from "../admin/find-node.ts";
import { joinTokenDocument, showJoinCommand } from "../admin/join-command.ts";
import { readStatus } from "../admin/status-view.ts";
import { parseDurationMs, parseWords, type Parsed } from "../arguments.ts";
import type { Command, CommandContext } from "../command.ts";
import { UsageError } from "../exit-code.ts";
import { formatTable, formatTime } from "../output.ts";
import { openSession, type Session } from "../session.ts";
import { withRetries } from "../transfer/retry.ts";

export const adminJoinToken: Command = {
  usage: "admin node join-token [create [--ttl 1h] [--label TEXT] [--rotate] | ls | revoke ID | revoke --all]",
  summary: "let a new machine in, once; or see and revoke what is out",
  async run(words, context) {
    const rules = {
      ttl: { type: "string" },
      label: { type: "string" },
      rotate: { type: "boolean" },
      all: { type: "boolean" },
    } as const;
    const parsed = parseWords(words, rules, { min: 0, max: 2, usage: adminJoinToken.usage });
    const [action = "create", id] = parsed.positionals;
    const session = await openSession();
    if (action === "create" && id === undefined) return createToken(session, parsed, context);
    if (action === "ls" && id === undefined) return listTokens(session, context);
    if (action === "revoke") return revokeTokens(session, { id, isAll: parsed.flag("all") }, context);
    throw new UsageError(`usage: holdfast ${adminJoinToken.usage}`);
  },
};

async function createToken(session: Session, parsed: Parsed, context: CommandContext): Promise<void> {
  const lifetimeMs = BigInt(Math.round(parseDurationMs(parsed.text("ttl") ?? "1h")));
  if (parsed.flag("rotate"))
    await order(session, { case: "revokeJoinToken", value: { joinTokenId: 0, isAll: true } }, context);
  const issued = await session.admin.createJoinToken({ lifetimeMs, label: parsed.text("label") ?? "" });
  context.output.document(joinTokenDocument(issued));
  showJoinCommand(issued, context);
}

async function listTokens(session: Session, { output }: CommandContext): Promise<void> {
  const { joinTokens } = await withRetries(() => session.fleet.getFleet({}));
  const status = await readStatus(session);
  const rows = joinTokens.map((token) => ({
    joinTokenId: token.joinTokenId,
    label: token.label,
    issuedAtMs: Number(token.issuedAtMs),
    expiresAtMs: Number(token.expiresAtMs),
    usedByNodeId: token.usedByNodeId === 0 ? undefined : token.usedByNodeId,
    replacesNodeId: token.replacesNodeId === 0 ? undefined : token.replacesNodeId,
    actor: token.actor,
  }));
  output.document({ joinTokens: rows });
  if (rows.length === 0) return output.line("No join token is out.");
  output.line(
    formatTable(
      ["ID", "LABEL", "EXPIRES", "REPLACES", "USED BY", "MADE BY"],
      rows.map((token) => [
        token.joinTokenId,
        token.label,
        formatTime(token.expiresAtMs),
        token.replacesNodeId === undefined ? "-" : nodeName(status, token.replacesNodeId),
        token.usedByNodeId === undefined ? "-" : nodeName(status, token.usedByNodeId),
        token.actor,
      ]),
    ),
  );
}

async function revokeTokens(
  session: Session,
  which: { readonly id: string | undefined; readonly isAll: boolean },
  context: CommandContext,
): Promise<void> {
  const isNumber = which.id !== undefined && /^[1-9][0-9]{0,8}$/.test(which.id);
  if (isNumber === which.isAll) throw new UsageError(`usage: holdfast ${adminJoinToken.usage}`);
  const value = { joinTokenId: isNumber ? Number(which.id) : 0, isAll: which.isAll };
  const { index } = await order(session, { case: "revokeJoinToken", value }, context);
  context.output.document({ ...value, index });
  context.output.line(which.isAll ? "No join token works any more." : `Join token ${which.id ?? ""} no longer works.`);
}
