import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import {
  CommandService,
  ExecuteResponseSchema,
  type ExecuteRequest,
  type ExecuteResponse,
} from "@holdfast/proto/master/v1/master";
import { serve, type ServedService } from "@holdfast/rpc";
import type { KeyValueStore } from "@holdfast/runtime";
import type { Submitter } from "../application/submission.ts";
import { decide } from "../domain/decide.ts";
import { commandFromWire, outcomeToWire } from "../wire/command.ts";
import { prepareFleetCommand } from "./prepare-fleet-command.ts";

const actorLengthMax = 128;

/** Changes, at the leader. A caller that gives up does not stop a change that is in flight: retries find its outcome. */
export function createCommandService(submitter: Submitter, store: KeyValueStore): ServedService {
  return serve(CommandService, {
    async execute(request: ExecuteRequest): Promise<ExecuteResponse> {
      const { requestId, actor } = request;
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
