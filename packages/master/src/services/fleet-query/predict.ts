import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import {
  PredictedFillSchema,
  PredictResponseSchema,
  type FleetCommand,
  type PredictRequest,
  type PredictResponse,
} from "@holdfast/proto/fleet/v1/fleet";
import type { CopyNode } from "../../controllers/repair/copy-node.ts";
import { withOrder, withoutNodes } from "../../controllers/what-if/change-nodes.ts";
import { forecast, type Scenario } from "../../controllers/what-if/forecast.ts";
import { summarise } from "../../controllers/what-if/summary.ts";
import { decide } from "../../domain/decide.ts";
import type { FleetOrder } from "../../domain/fleet/orders.ts";
import { fleetFromWire } from "../../wire/command.ts";
import { prepareFleetCommand } from "../prepare-fleet-command.ts";
import { countFiles, examplesMax, pathOf } from "./files-at-risk.ts";
import type { FleetRead } from "./fleet-read.ts";
import { readScenario } from "./read-scenario.ts";

/** A question in plain words and as the cluster that it describes. */
interface Question {
  readonly subject: string;
  readonly scenario: Scenario;
  readonly refusal: string;
}

/** What would happen. Errors: `notFound` (node or zone), `invalidArgument`. */
export async function predict(request: PredictRequest, read: FleetRead): Promise<PredictResponse> {
  const now = await readScenario(read);
  const { subject, scenario, refusal } = await ask(request.question, now, read);
  const result = forecast(scenario);
  const { store, tables, signal, index } = read;
  const files = await countFiles(store, tables, { sets: result.lostSets, signal });
  const examples = files.entryIds.slice(0, examplesMax * 2).map((entryId) => pathOf(tables, entryId));
  return create(PredictResponseSchema, {
    filesLost: BigInt(files.count),
    filesLostExamples: examples.filter((path) => path !== undefined).slice(0, examplesMax),
    chunksByCopiesLeft: result.chunksByCopiesLeft.map(BigInt),
    bytesToCopy: BigInt(result.bytesToCopy),
    repairMs: BigInt(result.repairMs),
    fills: result.fills.map(({ nodeId, usedBytes, capacityBytes }) =>
      create(PredictedFillSchema, { nodeId, usedBytes: BigInt(usedBytes), capacityBytes: BigInt(capacityBytes) }),
    ),
    isRepairable: result.isRepairable,
    isWritable: result.isWritable,
    refusal,
    summary: summarise({ subject, forecast: result, filesLost: files.count, nodes: now.nodes, refusal }),
    index: BigInt(index),
  });
}

async function ask(question: PredictRequest["question"], now: Scenario, read: FleetRead): Promise<Question> {
  switch (question.case) {
    case "lostNodes": {
      const ids = [...new Set(question.value.nodeIds)];
      if (ids.length === 0) throw new HoldfastError("invalidArgument", "Name at least one node.");
      const names = ids.map((nodeId) => nodeOf(now.nodes, nodeId).name);
      return { subject: `Without ${listed(names)}`, scenario: withoutNodes(now, ids), refusal: "" };
    }
    case "lostZone": {
      const members = now.nodes.filter((node) => node.zone === question.value).map((node) => node.nodeId);
      if (members.length === 0) throw new HoldfastError("notFound", `No node is in zone "${question.value}".`);
      return {
        subject: `Without zone ${question.value || "(unnamed)"}`,
        scenario: withoutNodes(now, members),
        refusal: "",
      };
    }
    case "command":
      return askCommand(question.value, now, read);
    default:
      throw new HoldfastError("invalidArgument", "Ask about nodes, a zone, or a command.");
  }
}

/** The refusal comes from the decision that the command itself would meet. */
async function askCommand(wire: FleetCommand, now: Scenario, read: FleetRead): Promise<Question> {
  const command = fleetFromWire(wire);
  const { tables, store, nowMs, term, writeCopiesMin, observer } = read;
  const nodes = observer.observedNodes();
  const decided = decide(tables, await prepareFleetCommand(store, command), {
    ...{ atMs: nowMs, term, writeCopiesMin, nodes, actor: "prediction" },
  });
  if (!decided.ok && (decided.error.kind === "notFound" || decided.error.kind === "invalidArgument"))
    throw new HoldfastError(decided.error.kind, decided.error.message);
  const refusal = decided.ok ? "" : decided.error.message;
  return { subject: subjectOf(command.order, now.nodes), scenario: withOrder(now, command.order), refusal };
}

function subjectOf(order: FleetOrder, nodes: readonly CopyNode[]): string {
  const name = (nodeId: number): string => nodes.find((node) => node.nodeId === nodeId)?.name ?? `node ${nodeId}`;
  switch (order.case) {
    case "drainNode":
      return `With ${name(order.value.nodeId)} drained`;
    case "activateNode":
      return `With ${name(order.value.nodeId)} at work`;
    case "startMaintenance":
      return `While ${name(order.value.nodeId)} is away for maintenance`;
    case "failNode":
      return `With ${name(order.value.nodeId)} declared dead`;
    case "removeNode":
      return `With ${name(order.value.nodeId)} removed`;
    case "setReplication":
      return `With ${order.value.replication} copies of every chunk`;
    case "issueJoinToken":
      return order.value.replacesNodeId === 0
        ? "With a node more, until something moves to it"
        : `With a new node of the same size in the place of ${name(order.value.replacesNodeId)}`;
    case "startDrill":
      return `While the drill goes on at ${name(order.value.nodeId)}`;
    default:
      return "With this order carried out";
  }
}

function nodeOf(nodes: readonly CopyNode[], nodeId: number): CopyNode {
  const found = nodes.find((node) => node.nodeId === nodeId);
  if (found === undefined) throw new HoldfastError("notFound", `There is no node ${nodeId}.`);
  return found;
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}
