import { create } from "@bufbuild/protobuf";
import {
  GetHistoryResponseSchema,
  type GetHistoryRequest,
  type GetHistoryResponse,
} from "@holdfast/proto/fleet/v1/fleet";
import { historyIntervalMs } from "../../history/history-keeper.ts";
import { requestInteger } from "../../wire/request.ts";
import type { FleetRead } from "./fleet-read.ts";

/** The last minutes. Errors: `invalidArgument`. */
export function getHistory(request: GetHistoryRequest, { history }: FleetRead): GetHistoryResponse {
  const samples = history.since(requestInteger(request.afterMs, "after_ms"));
  return create(GetHistoryResponseSchema, { intervalMs: historyIntervalMs, samples: [...samples] });
}
