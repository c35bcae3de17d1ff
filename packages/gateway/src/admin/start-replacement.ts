import { create } from "@bufbuild/protobuf";
import { decodeJoinToken, HoldfastError, isHoldfastError, toHex } from "@holdfast/base";
import { FleetCommandSchema } from "@holdfast/proto/fleet/v1/fleet";
import type { Random } from "@holdfast/runtime";
import type { Caller, RequestScope } from "../drive/ports.ts";
import type { Fleet } from "./fleet.ts";
import { noLocalNodes, type LocalNodes } from "./local-nodes.ts";

/** A node of this machine that was started to take another one's place. */
export interface StartedReplacement {
  /** On this machine; in the cluster it gets the name of the node whose place it takes. */
  readonly name: string;
  /** What it joins with. */
  readonly joinTokenId: number;
}

/**
 * Starts a new node on the machine of `npm start` with a join token for another node's place, as a person would with the
 * printed command on another machine; nobody sees the token. The replaced node is retired when the newcomer has joined.
 * Errors: those of `Fleet.createJoinToken` and `LocalNodes.start`; nothing was started then, and the token works no more.
 */
export type StartReplacement = (
  order: { readonly caller: Caller; readonly replacesNodeId: number },
  scope: RequestScope,
) => Promise<StartedReplacement>;

/** What it is done with. */
export interface ReplacementParts {
  readonly fleet: Pick<Fleet, "createJoinToken" | "change">;
  readonly localNodes: Pick<LocalNodes, "list" | "start">;
  readonly random: Random;
}

/** The use-case over its parts. */
export function createReplacementStart({ fleet, localNodes, random }: ReplacementParts): StartReplacement {
  return async ({ caller, replacesNodeId }, scope) => {
    // Asked first: a token for this node's place ends the one that may be out already.
    if ((await localNodes.list(caller, scope)) === undefined) throw noLocalNodes();
    const wish = { lifetimeMs: 0, label: "", replacesNodeId };
    const { joinToken, joinTokenId } = await fleet.createJoinToken(caller, wish, scope);
    const token = decodeJoinToken(joinToken);
    if (!token.ok) throw new HoldfastError("internal", token.error);
    try {
      const name = await localNodes.start(caller, { name: "", joinSecret: token.value.secret }, scope);
      return { name, joinTokenId };
    } catch (error) {
      // After a lost answer the node may run and need the token; unused, it expires.
      if (isHoldfastError(error, "unavailable", "deadline", "cancelled", "internal")) throw error;
      const command = { case: "revokeJoinToken", value: { joinTokenId, isAll: false } } as const;
      const requestId = toHex(random.bytes(16));
      await fleet.change(caller, create(FleetCommandSchema, { command }), { ...scope, requestId });
      throw error;
    }
  };
}
