import { HoldfastError, isHoldfastError } from "@holdfast/base";
import type { ExecuteResponse } from "@holdfast/proto/master/v1/master";
import type { CommandCase, CommandOptions, Masters } from "./ports.ts";

/**
 * Executes a command that brings freshly written chunks. When the masters refuse the chunks themselves (the grant ended
 * while a slow upload ran, or a leader's clock jumped), nothing became visible and the same bytes sent again will do:
 * the caller hears `unavailable` instead of `precondition`. Other errors pass.
 */
export async function executePlacing(
  masters: Masters,
  command: CommandCase,
  options: CommandOptions,
): Promise<ExecuteResponse> {
  try {
    return await masters.execute(command, options);
  } catch (cause) {
    if (!isHoldfastError(cause, "precondition")) throw cause;
    const message =
      "The upload took longer than its places in the cluster were kept. Nothing was stored of it. Send it again.";
    throw new HoldfastError("unavailable", message, { requestId: options.requestId, cause });
  }
}
