import { create } from "@bufbuild/protobuf";
import { IssueJoinTokenSchema } from "@holdfast/proto/fleet/v1/fleet";
import { Intent } from "@holdfast/proto/model/v1/model";
import type { MemoryFleet } from "./memory-fleet.ts";

/** Starts a stopped process by its name, or with "" a new one, which joins at once; answers its name. */
export function startLocal(fleet: MemoryFleet, name: string): string {
  const started = name === "" ? `node-${fleet.nodes.length + 1}` : name;
  const nodeId = fleet.localNodes.get(started)?.nodeId ?? fleet.addNode(started, "cellar").nodeId;
  fleet.localNodes.set(started, { state: "running", nodeId });
  return started;
}

/** Answers the id of the node whose process was stopped. */
export function stopLocal(fleet: MemoryFleet, name: string): number {
  const nodeId = fleet.localNodes.get(name)?.nodeId ?? 0;
  fleet.localNodes.set(name, { state: "stopped", nodeId });
  return nodeId;
}

/** A new process that takes a node's place at once. Errors: notFound, precondition. */
export function startReplacement(
  fleet: MemoryFleet,
  { requestId, replacesNodeId }: { readonly requestId: string; readonly replacesNodeId: number },
): { readonly name: string; readonly joinTokenId: number } {
  const old = fleet.node(replacesNodeId);
  const { name, zone, rack } = old;
  const value = create(IssueJoinTokenSchema, { label: `replaces ${name}`, lifetimeMs: 3_600_000n, replacesNodeId });
  const { joinTokenId = 0 } = fleet.change(requestId, { case: "issueJoinToken", value });
  const started = startLocal(fleet, "");
  const { nodeId } = Object.assign(fleet.node(fleet.localNodes.get(started)?.nodeId ?? 0), { name, zone, rack });
  Object.assign(old, { name: `${name}.old`, intent: Intent.DRAINING });
  fleet.setReplaced(replacesNodeId, nodeId);
  const token = fleet.joinTokens.find((one) => one.joinTokenId === joinTokenId);
  if (token !== undefined) token.usedByNodeId = nodeId;
  return { name: started, joinTokenId };
}
