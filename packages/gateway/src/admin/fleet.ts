import { create } from "@bufbuild/protobuf";
import { encodeJoinToken, HoldfastError, must, toHex } from "@holdfast/base";
import {
  FleetCommandSchema,
  FleetOutcomeSchema,
  IssueJoinTokenSchema,
  type FleetCommand,
  type FleetOutcome,
  type FleetQueryService,
} from "@holdfast/proto/fleet/v1/fleet";
import { GetClusterStatusRequestSchema } from "@holdfast/proto/master/v1/master";
import type { ServiceClient } from "@holdfast/rpc";
import type { Clock, Random } from "@holdfast/runtime";
import { tokenSha256 } from "../auth/token.ts";
import { onBehalfOf } from "../drive/actor.ts";
import type { Caller, Masters, RequestScope } from "../drive/ports.ts";
import { requireAdmin } from "./require-admin.ts";

/** A token with which one new node may join. Shown once; the cluster keeps only its hash. */
export interface IssuedJoinToken {
  readonly joinTokenId: number;
  /** Masters' addresses, the cluster's id and the token in one word. */
  readonly joinToken: string;
  /** To type on the new machine. */
  readonly command: string;
  /** By this gateway's clock; the leader's may differ a little. */
  readonly expiresAtMs: number;
}

/** How the fleet is steered and asked about. All of it is `denied` to others than administrators. */
export interface Fleet {
  /** Carried out once per request id. Errors: denied, those of the command. */
  change(
    caller: Caller,
    command: FleetCommand,
    scope: RequestScope,
  ): Promise<{ readonly index: bigint; readonly outcome: FleetOutcome }>;
  /**
   * With `replacesNodeId` whoever joins takes that node's place, and the label says so where it is empty; 0 = nobody's. Errors: denied, invalidArgument (1 min to
   * 7 days), tooBusy (100 are out), notFound and precondition (of the node to be replaced).
   */
  createJoinToken(
    caller: Caller,
    wish: { readonly lifetimeMs: number; readonly label: string; readonly replacesNodeId: number },
    scope: RequestScope,
  ): Promise<IssuedJoinToken>;
  /** What the leader knows. Errors: denied, those of the question. */
  queries(caller: Caller): ServiceClient<typeof FleetQueryService>;
}

/** What it is made of. */
export interface FleetParts {
  readonly masters: Masters;
  readonly masterAddresses: readonly string[];
  /** Of the cluster's authority; undefined where it speaks in the clear. */
  readonly authorityFingerprint: string | undefined;
  readonly random: Random;
  readonly clock: Clock;
}

const joinTokenLifetimeMs = 3_600_000;
const joinSecretBytes = 32;

/** The administrators' hand on the fleet. */
export function createFleet({ masters, masterAddresses, authorityFingerprint, random, clock }: FleetParts): Fleet {
  const change: Fleet["change"] = async (caller, command, scope) => {
    requireAdmin(caller);
    if (command.command.case === undefined)
      throw new HoldfastError("invalidArgument", "The order is empty or of a newer kind. Nothing was changed.");
    const done = await masters.execute({ case: "fleet", value: command }, onBehalfOf(caller, scope));
    return { index: done.index, outcome: done.outcome?.fleet ?? create(FleetOutcomeSchema) };
  };
  return {
    change,

    async createJoinToken(caller, wish, scope) {
      requireAdmin(caller);
      const secret = toHex(random.bytes(joinSecretBytes));
      const lifetimeMs = wish.lifetimeMs === 0 ? joinTokenLifetimeMs : wish.lifetimeMs;
      const { clusterId, nodes } = await masters.queries.getClusterStatus(create(GetClusterStatusRequestSchema), scope);
      const replaced = nodes.find(({ nodeId }) => nodeId === wish.replacesNodeId);
      const value = create(IssueJoinTokenSchema, {
        tokenSha256: tokenSha256(secret),
        lifetimeMs: BigInt(lifetimeMs),
        label: wish.label === "" && replaced !== undefined ? `replaces ${replaced.name}` : wish.label,
        replacesNodeId: wish.replacesNodeId,
      });
      const expiresAtMs = clock.wallMs() + lifetimeMs;
      const command = create(FleetCommandSchema, { command: { case: "issueJoinToken", value } });
      const { outcome } = await change(caller, command, scope);
      const joinToken = encodeJoinToken({ masterAddresses, clusterId, secret, authorityFingerprint });
      return {
        joinTokenId: must(outcome.joinTokenId || undefined, "an issued join token has an id"),
        joinToken,
        command: `npx holdfast node start --join ${joinToken} --data ./holdfast-node`,
        expiresAtMs,
      };
    },

    queries(caller) {
      requireAdmin(caller);
      return masters.fleet;
    },
  };
}
