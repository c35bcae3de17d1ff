import type { MemberAction, MemberStep } from "../../core/entries.ts";
import type { PeerId } from "../../core/types.ts";
import { CommandError } from "./command-error.ts";

const actions: Readonly<Record<string, MemberAction>> = { v: "addVoter", l: "addLearner", r: "remove", u: "update" };

/** `v3 l4 r5 u2`. */
export function parseSteps(input: string): readonly MemberStep[] {
  const tokens = input.trim().split(/\s+/);
  return tokens.flatMap((token) => {
    if (token === "") return [];
    const action = actions[token.charAt(0)];
    if (token.length < 2) throw new CommandError(`unknown token ${token}`);
    if (action === undefined) throw new CommandError(`unknown input: ${token}`);
    return [{ action, peer: Number(token.slice(1)) as PeerId }];
  });
}
