import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { AdminService } from "@holdfast/proto/drive/v1/drive";
import { ErrorDetailSchema, ErrorKind } from "@holdfast/proto/errors/v1/errors";
import {
  FleetQueryService,
  GetFleetResponseSchema,
  PredictResponseSchema,
  type FleetCommand,
  type PredictRequest,
} from "@holdfast/proto/fleet/v1/fleet";
import { GetClusterStatusResponseSchema } from "@holdfast/proto/master/v1/master";
import { Intent, Liveness, NodeSchema, type Node } from "@holdfast/proto/model/v1/model";

/** A gateway's administrators' side in memory, which keeps what was asked of it. */
export interface MemoryEdge {
  readonly origin: string;
  readonly nodes: Node[];
  readonly orders: { readonly requestId: string; readonly command: FleetCommand["command"] }[];
  readonly questions: PredictRequest["question"][];
  readonly localNodes: string[];
  /** Of the machine of npm start. */
  processes: readonly { readonly name: string; readonly nodeId: number }[];
  /** What Predict answers. */
  prediction: MessageInitShape<typeof PredictResponseSchema>;
  /** What GetFleet answers, one after the other; the last one for ever. */
  fleets: MessageInitShape<typeof GetFleetResponseSchema>[];
  chunks: { total: bigint; healthy: bigint; under: bigint };
  /** How many of the next orders are answered "unavailable" although they are carried out. */
  lostAnswerCount: number;
  /** Called before GetFleet answers. */
  onGetFleet: () => void;
  stop(): Promise<void>;
}

/** Starts one on a free port. */
export async function startMemoryEdge(): Promise<MemoryEdge> {
  const nodes = [1, 2, 3, 4].map((nodeId) =>
    create(NodeSchema, {
      nodeId,
      name: `node-${nodeId}`,
      liveness: Liveness.LIVE,
      intent: Intent.ACTIVE,
      zone: "default",
      capacityBytes: 1000n,
    }),
  );
  const edge: MemoryEdge = {
    origin: "",
    nodes,
    orders: [],
    questions: [],
    localNodes: [],
    processes: [],
    prediction: { summary: "Nothing would be lost.", isRepairable: true, isWritable: true },
    fleets: [{ preset: "demo" }],
    chunks: { total: 7n, healthy: 7n, under: 0n },
    lostAnswerCount: 0,
    onGetFleet: () => undefined,
    stop: () => close(server),
  };
  const server = createServer(connectNodeAdapter({ routes: (router) => addServices(router, edge) }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(edge, { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

type Router = Parameters<Parameters<typeof connectNodeAdapter>[0]["routes"]>[0];

function addServices(router: Router, edge: MemoryEdge): void {
  router.service(AdminService, {
    getStatus: () => ({
      status: create(GetClusterStatusResponseSchema, { nodes: edge.nodes, replication: 3, chunks: edge.chunks }),
    }),
    changeFleet({ requestId, command }) {
      const isRepeated = edge.orders.some((order) => order.requestId === requestId);
      if (!isRepeated) edge.orders.push({ requestId, command: command?.command ?? { case: undefined } });
      if (edge.lostAnswerCount-- > 0) throw refusal(Code.Unavailable, ErrorKind.UNAVAILABLE, "The answer was lost.");
      return { index: 42n, outcome: { drillId: 5n } };
    },
    createJoinToken: ({ lifetimeMs, replacesNodeId }) => ({
      joinTokenId: 3 + replacesNodeId,
      joinToken: "hfj_x",
      command: "npx holdfast node start --join hfj_x --data ./holdfast-node",
      expiresAtMs: lifetimeMs,
    }),
    listLocalNodes: () => ({ isAvailable: true, nodes: [...edge.processes] }),
    startLocalNode({ name, replacesNodeId }) {
      edge.localNodes.push(name === "" ? "node-5" : name);
      return { name: edge.localNodes.at(-1) ?? "", joinTokenId: replacesNodeId === 0 ? 0 : 3 + replacesNodeId };
    },
    stopLocalNode({ name }) {
      if (name === "node-9") throw refusal(Code.NotFound, ErrorKind.NOT_FOUND, "There is no node-9 here.");
      edge.localNodes.push(`-${name}`);
      return {};
    },
  });
  router.service(FleetQueryService, {
    getFleet() {
      edge.onGetFleet();
      return create(GetFleetResponseSchema, (edge.fleets.length > 1 ? edge.fleets.shift() : edge.fleets[0]) ?? {});
    },
    predict({ question }) {
      edge.questions.push(question);
      return create(PredictResponseSchema, edge.prediction);
    },
    getWeakest: () => ({ pair: { nodeIds: [1, 2], chunksLost: 4n, chunksAtOne: 9n, filesLost: 2n } }),
    getHistory: () => ({}),
    getChunkLedger: () => ({
      placedNodeIds: [1, 2],
      confirmedNodeIds: [1],
      entries: [
        { index: 9n, atMs: 1000n, kind: "trimOrdered", nodeId: 3, reason: "extra", evidenceNodeIds: [1, 2], term: 4n },
      ],
    }),
  });
}

function refusal(code: Code, kind: ErrorKind, message: string): ConnectError {
  return new ConnectError(message, code, undefined, [{ desc: ErrorDetailSchema, value: { kind, message } }]);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
