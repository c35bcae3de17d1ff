import type { GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";
import type { EdgeSession } from "./workload/edge-session.ts";

/** The cluster as its leader sees it. */
export async function statusOf(session: EdgeSession): Promise<GetClusterStatusResponse | undefined> {
  const answer = await session.ask(({ gateway, signal }) => gateway.admin.getStatus({}, { signal }));
  return answer.status;
}

/** Name of the leading master; undefined when nobody knows one now. */
export async function leaderOf(session: EdgeSession): Promise<string | undefined> {
  const status = await statusOf(session);
  return status?.masters.find((master) => master.role === "leader")?.name;
}
