import { createHash, timingSafeEqual } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import {
  ListNodesResponseSchema,
  LocalProcessSchema,
  StartNodeResponseSchema,
  StopNodeResponseSchema,
} from "@holdfast/proto/supervisor/v1/supervisor";
import type { LocalNodesService } from "@holdfast/proto/supervisor/v1/supervisor";
import type { ServiceHandlers } from "@holdfast/rpc";
import type { JoinFiles } from "./join-files.ts";
import type { LocalNodes } from "./local-nodes.ts";

/** Starting and stopping chunkservers, for the gateway of this machine: whoever shows the secret of the run directory. */
export function createLocalNodesService(
  nodes: Pick<LocalNodes, "list" | "start" | "stop">,
  { secret, nodeIdOf }: { readonly secret: string; readonly nodeIdOf: JoinFiles["nodeIdOf"] },
): ServiceHandlers<typeof LocalNodesService> {
  const secretSha256 = sha256(secret);
  const check = (shown: string): void => {
    if (timingSafeEqual(sha256(shown), secretSha256)) return;
    throw new HoldfastError("denied", "The supervisor's secret is another one. Nothing was changed.");
  };
  return {
    async listNodes(request) {
      check(request.secret);
      const processes = nodes
        .list()
        .map(async (node) => create(LocalProcessSchema, { ...node, nodeId: await nodeIdOf(node.name) }));
      return create(ListNodesResponseSchema, { nodes: await Promise.all(processes) });
    },
    async startNode(request) {
      check(request.secret);
      return create(StartNodeResponseSchema, { name: await nodes.start(request.name, request.joinSecret) });
    },
    async stopNode(request) {
      check(request.secret);
      await nodes.stop(request.name);
      return create(StopNodeResponseSchema, {});
    },
  };
}

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text, "utf8").digest();
}
