import { decodeJoinToken, isOnLoopback } from "@holdfast/base";
import type { CreateJoinTokenResponse } from "@holdfast/proto/drive/v1/drive";
import type { CommandContext } from "../command.ts";
import { formatTime } from "../output.ts";

/** A join token for `--json`. */
export function joinTokenDocument(issued: CreateJoinTokenResponse): Record<string, unknown> {
  const { joinTokenId, joinToken, command, expiresAtMs } = issued;
  return { joinTokenId, joinToken, command, expiresAtMs: Number(expiresAtMs) };
}

/** The line to type on the new machine is all that standard output gets. */
export function showJoinCommand(issued: CreateJoinTokenResponse, { output }: Pick<CommandContext, "output">): void {
  const until = formatTime(Number(issued.expiresAtMs));
  output.note(`Type this on the new machine; it works once, until ${until}, and is not shown again:`);
  const token = decodeJoinToken(issued.joinToken);
  if (token.ok && isOnLoopback(token.value))
    output.note(
      "The masters listen on loopback, so it works on their machine only. For others start the cluster with --advertise-host ADDRESS.",
    );
  output.line(issued.command);
}
