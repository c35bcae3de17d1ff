import { create } from "@bufbuild/protobuf";
import {
  BalanceStatusSchema,
  DrillSchema,
  GetFleetResponseSchema,
  JoinTokenSchema,
  type BalanceStatus,
  type Drill,
  type GetFleetResponse,
  type JoinToken,
} from "@holdfast/proto/fleet/v1/fleet";
import { drillKindToWire } from "../fleet/drill-kind.ts";
import { listDrills, type DrillRow } from "../../domain/fleet/drills.ts";
import { joinTokenState, listJoinTokens, type JoinTokenRow } from "../../domain/fleet/join-tokens.ts";
import { tokenReplacesTable } from "../../domain/fleet/replacements.ts";
import { readHousekeeping } from "../../domain/state.ts";
import type { TableReader } from "../../domain/tables.ts";
import type { FleetRead } from "./fleet-read.ts";
import { nodeTasks, type DrainNumbers } from "./node-tasks.ts";

const dayMs = 24 * 3_600_000;

/** What controllers know and the tables do not. */
export interface FleetProgress {
  readonly drain: (nodeId: number) => DrainNumbers | undefined;
  /** Without `isPaused`, which is in the tables. */
  readonly balance: () => Omit<BalanceStatus, "$typeName" | "$unknown" | "isPaused">;
}

/** Tasks, balance, drills, join tokens. */
export function getFleet({ tables, index, nowMs, presetName }: FleetRead, progress: FleetProgress): GetFleetResponse {
  const { isBalancePaused, isRepairPaused } = readHousekeeping(tables);
  const isShown = (token: JoinTokenRow): boolean =>
    token.state === joinTokenState.out || (token.state === joinTokenState.used && nowMs - token.endedAtMs < dayMs);
  return create(GetFleetResponseSchema, {
    tasks: [...nodeTasks(tables, progress.drain)],
    balance: create(BalanceStatusSchema, { ...progress.balance(), isPaused: isBalancePaused }),
    drills: listDrills(tables).map((drill) => drillToWire(drill)),
    joinTokens: listJoinTokens(tables)
      .filter((token) => isShown(token))
      .map((token) => tokenToWire(token, tables)),
    isRepairPaused,
    preset: presetName,
    index: BigInt(index),
  });
}

function drillToWire({ drillId, nodeId, drillKind, startedAtMs, endsAtMs, delayMs, actor }: DrillRow): Drill {
  return create(DrillSchema, {
    drillId: BigInt(drillId),
    ...{ nodeId, delayMs, actor },
    kind: drillKindToWire(drillKind),
    startedAtMs: BigInt(startedAtMs),
    endsAtMs: BigInt(endsAtMs),
  });
}

function tokenToWire(
  { joinTokenId, label, issuedAtMs, expiresAtMs, usedByNodeId, actor }: JoinTokenRow,
  tables: TableReader,
): JoinToken {
  return create(JoinTokenSchema, {
    ...{ joinTokenId, label, usedByNodeId, actor },
    replacesNodeId: tables.get(tokenReplacesTable, [joinTokenId])?.nodeId ?? 0,
    issuedAtMs: BigInt(issuedAtMs),
    expiresAtMs: BigInt(expiresAtMs),
  });
}
