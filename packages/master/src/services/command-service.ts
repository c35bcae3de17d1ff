import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import {
  CommandService,
  ExecuteResponseSchema,
  type ExecuteRequest,
  type ExecuteResponse,
} from "@holdfast/proto/master/v1/master";
import { serve, type CallContext, type ServedService } from "@holdfast/rpc";
import type { KeyValueStore } from "@holdfast/runtime";
import type { Submitter } from "../application/submission.ts";
import { decide } from "../domain/decide.ts";
import { nodeByUuidTable } from "../domain/fleet/tables.ts";
import { readerOf, type TableReader } from "../domain/tables.ts";
import { commandFromWire, outcomeToWire } from "../wire/command.ts";
import { prepareFleetCommand } from "./prepare-fleet-command.ts";

const actorLengthMax = 128;

/** All that a node may order is that somebody else's damaged copy be looked after, in its own name. */
function requireOwnReport({ actor, command }: ExecuteRequest, nodeId: number | undefined): void {
  if (command?.command.case === "reportBadReplica" && nodeId !== undefined && actor === `node:${nodeId}`) return;
  throw new HoldfastError("denied", "A node may only report damaged copies, and only as itself. Nothing was changed.");
}

function ownNodeId(tables: TableReader, nodeUuid: string): number | undefined {
  return tables.get(nodeByUuidTable, [nodeUuid])?.nodeId;
}

/** Changes, at the leader. A caller that gives up does not stop a change that is in flight: retries find its outcome. */
export function createCommandService(submitter: Submitter, store: KeyValueStore): ServedService {
  return serve(CommandService, {
    async execute(request: ExecuteRequest, { caller }: Pick<CallContext, "caller">): Promise<ExecuteResponse> {
      const { requestId, actor } = request;
      if (caller?.role === "node") requireOwnReport(request, ownNodeId(readerOf(store), caller.id));
      if (requestId === "")
        throw new HoldfastError("invalidArgument", "A command needs a request id. Nothing was changed.");
      if (!/^[\x21-\x7e]+$/.test(actor) || actor.length > actorLengthMax) {
        throw new HoldfastError("invalidArgument", 'A command needs an actor such as "user:7". Nothing was changed.');
      }
      const command = await prepareFleetCommand(store, commandFromWire(request.command));
      const result = await submitter.submit({
        requestId,
        actor,
        decide: (tables, context) => decide(tables, command, context),
      });
      return create(ExecuteResponseSchema, { index: BigInt(result.index), outcome: outcomeToWire(result.outcome) });
    },
  });
}
