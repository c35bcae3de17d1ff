import { createMetrics, silentLogger } from "@holdfast/observability";
import { LocalNodesService } from "@holdfast/proto/supervisor/v1/supervisor";
import { serve } from "@holdfast/rpc";
import { createGrpcNetwork } from "@holdfast/rpc/node";
import { createNodeClock, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";
import type { JoinFiles } from "./join-files.ts";
import type { LocalNodes } from "./local-nodes.ts";
import { createLocalNodesService } from "./local-nodes-service.ts";

/** Serves `LocalNodesService` on loopback until it is closed. Errors: precondition (the port is taken). */
export async function listenForGateway(
  address: string,
  {
    nodes,
    ...parts
  }: { readonly nodes: LocalNodes; readonly secret: string; readonly nodeIdOf: JoinFiles["nodeIdOf"] },
): Promise<{ close(): Promise<void> }> {
  const network = createGrpcNetwork({
    ...{ clock: createNodeClock(), timers: createNodeTimers(), random: createNodeRandom() },
    ...{ logger: silentLogger, metrics: createMetrics() },
  });
  const listener = await network.listen(address, [serve(LocalNodesService, createLocalNodesService(nodes, parts))]);
  return {
    close: async () => {
      await listener.close(0);
      await network.close();
    },
  };
}
