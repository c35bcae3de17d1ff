import { exhaustive } from "@holdfast/base";
import type { DecideContext, DecideResult } from "../decision.ts";
import type { TableReader } from "../tables.ts";
import { decideStartDrill, decideStopDrill } from "./decide-drills.ts";
import { decideActivate, decideDrain, decideFail, decideMaintenance, decideRemove } from "./decide-intents.ts";
import { decideIssueJoinToken, decideRevokeJoinToken } from "./decide-join-tokens.ts";
import { decideLabel, decideHousekeeping, decideReplication } from "./decide-settings.ts";
import type { FleetCommand } from "./orders.ts";

/** What follows from an administrator's order; a repeated one changes nothing. Errors: as the proto says at each order. */
export function decideFleet(tables: TableReader, command: FleetCommand, context: DecideContext): DecideResult {
  const { order } = command;
  switch (order.case) {
    case "drainNode":
      return decideDrain(tables, order.value, context);
    case "activateNode":
      return decideActivate(tables, order.value);
    case "startMaintenance":
      return decideMaintenance(tables, order.value, context);
    case "failNode":
      return decideFail(tables, order.value);
    case "removeNode":
      return decideRemove(tables, order.value);
    case "labelNode":
      return decideLabel(tables, order.value);
    case "setReplication":
      return decideReplication(tables, order.value);
    case "setHousekeeping":
      return decideHousekeeping(tables, order.value);
    case "issueJoinToken":
      return decideIssueJoinToken(tables, order.value, context);
    case "revokeJoinToken":
      return decideRevokeJoinToken(tables, order.value);
    case "startDrill":
      return decideStartDrill(tables, { ...order.value, candidateChunkIds: command.candidateChunkIds }, context);
    case "stopDrill":
      return decideStopDrill(tables, order.value);
    default:
      return exhaustive(order);
  }
}
