import { create } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { AdminService } from "@holdfast/proto/drive/v1/drive";
import { FleetQueryService, IssueJoinTokenSchema } from "@holdfast/proto/fleet/v1/fleet";
import { startLocal, startReplacement, stopLocal } from "./memory-local-nodes.ts";
import { history, predict, weakest } from "./memory-predictions.ts";
import type { MemoryState } from "./memory-state.ts";
import { Refusal } from "./refusal.ts";

/** The administrators' services over a memory state. */
export function addAdmin(router: ConnectRouter, state: MemoryState): void {
  const check = (context: HandlerContext) => {
    if (!state.account(state.emailOf(context.requestHeader)).isAdmin)
      throw new Refusal("denied", "Only administrators can see this.");
  };
  const { cluster } = state;
  const { fleet } = cluster;
  let tokenCount = 0;
  router.service(AdminService, {
    getStatus(_request, context) {
      check(context);
      return { status: cluster.status() };
    },
    async *watchStatus(_request, context) {
      check(context);
      while (!context.signal.aborted) {
        yield { status: cluster.status() };
        await state.sleep(1000, context.signal);
      }
    },
    listEvents(request, context) {
      check(context);
      return { events: cluster.events(request.beforeIndex, request.limit) };
    },
    changeFleet({ requestId, command }, context) {
      check(context);
      const outcome = fleet.change(requestId, command?.command ?? { case: undefined });
      return { index: BigInt(state.drive.index), outcome };
    },
    createJoinToken({ lifetimeMs, label, replacesNodeId }, context) {
      check(context);
      const said = label === "" && replacesNodeId !== 0 ? `replaces ${fleet.node(replacesNodeId).name}` : label;
      const wish = { lifetimeMs: lifetimeMs === 0n ? 3_600_000n : lifetimeMs, label: said, replacesNodeId };
      const value = create(IssueJoinTokenSchema, wish);
      const outcome = fleet.change(`join-token ${++tokenCount}`, { case: "issueJoinToken", value });
      const joinToken = `hfj_${"0123456789abcdef".repeat(14)}${tokenCount}`;
      return {
        joinTokenId: outcome.joinTokenId ?? 0,
        joinToken,
        command: `npx holdfast node start --join ${joinToken} --data ./holdfast-node`,
        expiresAtMs: BigInt(state.nowMs()) + value.lifetimeMs,
      };
    },
    listLocalNodes(_request, context) {
      check(context);
      const nodes = [...fleet.localNodes].map(([name, process]) => ({ name, ...process }));
      return { isAvailable: fleet.isLocalAvailable, nodes: fleet.isLocalAvailable ? nodes : [] };
    },
    startLocalNode({ name, replacesNodeId }, context) {
      check(context);
      if (replacesNodeId !== 0)
        return startReplacement(fleet, { requestId: `join-token ${++tokenCount}`, replacesNodeId });
      const started = startLocal(fleet, name);
      cluster.note("NodeJoined", `${started} joined the cluster`);
      return { name: started };
    },
    stopLocalNode({ name }, context) {
      check(context);
      cluster.setDeadNode(stopLocal(fleet, name));
      return {};
    },
  });
  router.service(FleetQueryService, {
    getFleet(_request, context) {
      check(context);
      return fleet.describe();
    },
    async predict({ question }, context) {
      check(context);
      await state.faults.pause();
      return predict(fleet, question);
    },
    getWeakest(_request, context) {
      check(context);
      return weakest();
    },
    getHistory({ afterMs }, context) {
      check(context);
      return history(fleet, state.nowMs(), afterMs);
    },
    getChunkLedger({ chunkId }, context) {
      check(context);
      if (chunkId > 1000n) throw new Refusal("notFound", `Chunk ${chunkId} was never heard of.`);
      const atMs = BigInt(state.nowMs() - 60_000);
      return {
        placedNodeIds: [1, 2, 3],
        confirmedNodeIds: [1, 2, 3],
        entries: [
          { index: 20n, atMs, kind: "placed", nodeId: 1, reason: "write", actor: "gateway:gateway-1" },
          { index: 21n, atMs, kind: "confirmed", nodeId: 1 },
          { index: 44n, atMs, kind: "trimOrdered", nodeId: 4, reason: "extra", evidenceNodeIds: [1, 2, 3], term: 4n },
          { index: 46n, atMs, kind: "trimmed", nodeId: 4 },
        ],
      };
    },
  });
}
