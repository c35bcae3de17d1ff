import type { Caller, CommandOptions, RequestScope } from "./ports.ts";

/** The options of a command that a signed-in person asked for. */
export function onBehalfOf(caller: Caller, scope: RequestScope): CommandOptions {
  return { ...scope, actor: `user:${caller.userId}` };
}
