import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  DrillKind,
  DrillSchema,
  JoinTokenSchema,
  NodeTaskSchema,
  type Drill,
  type FleetCommand,
  type FleetOutcomeSchema,
  type GetFleetResponseSchema,
  type JoinToken,
  type NodeTask,
} from "@holdfast/proto/fleet/v1/fleet";
import { Intent, Liveness, NodeSchema, type Node } from "@holdfast/proto/model/v1/model";
import { Refusal } from "./refusal.ts";

/** Adds an event. */
export type NoteEvent = (type: string, summary: string, drillId?: bigint) => void;

const drillWords: Readonly<Record<number, string>> = {
  [DrillKind.STOP]: "stop",
  [DrillKind.PARTITION]: "partition",
  [DrillKind.SLOW]: "slow",
  [DrillKind.CORRUPT]: "corrupt",
};
const drainCopies = 120n;

/** Nodes, orders and drills in memory; a drain goes on with every look at it. */
export class MemoryFleet {
  readonly nodes: Node[] = [];
  readonly tasks: NodeTask[] = [];
  readonly drills: Drill[] = [];
  readonly joinTokens: JoinToken[] = [];
  /** Carried out, in order. */
  readonly orders: FleetCommand["command"][] = [];
  /** Processes of this machine, by their names there. */
  readonly localNodes = new Map<string, { readonly state: string; readonly nodeId: number }>();
  isBalancePaused = false;
  isRepairPaused = false;
  isLocalAvailable = true;
  replication = 3;
  /** Copies that a drain moves with every look. */
  drainedPerLook = 30n;
  readonly #nowMs: () => number;
  readonly #note: NoteEvent;
  readonly #outcomes = new Map<string, MessageInitShape<typeof FleetOutcomeSchema>>();
  #lastId = 0;

  constructor(nowMs: () => number, note: NoteEvent) {
    this.#nowMs = nowMs;
    this.#note = note;
    for (let number = 1; number <= 4; number++) {
      this.addNode(`node-${number}`, number <= 2 ? "cellar" : "attic");
      this.localNodes.set(`node-${number}`, { state: "running", nodeId: number });
    }
  }

  addNode(name: string, zone: string): Node {
    const nodeId = this.nodes.length + 1;
    const node = create(NodeSchema, {
      nodeId,
      name,
      zone,
      address: `127.0.0.1:710${nodeId}`,
      liveness: Liveness.LIVE,
      intent: Intent.ACTIVE,
      capacityBytes: 1_000_000_000_000n,
      ip: `192.168.10.2${nodeId}`,
      mac: `02:42:ac:11:00:0${nodeId}`,
      diskState: "ok",
      writeP95TenthMs: 41 + nodeId * 7,
      readP95TenthMs: 12 + nodeId * 3,
    });
    this.nodes.push(node);
    return node;
  }

  /** Errors: notFound. */
  node(nodeId: number): Node {
    const node = this.nodes.find((one) => one.nodeId === nodeId && one.intent !== Intent.REMOVED);
    if (node === undefined) throw new Refusal("notFound", `There is no node ${nodeId}. Nothing was changed.`);
    return node;
  }

  /** Nothing is left on it. */
  setDrained(nodeId: number): void {
    this.node(nodeId).intent = Intent.DRAINED;
  }

  /** Another node took its place, and gets its copies. */
  setReplaced(nodeId: number, replacedByNodeId: number): void {
    const copies = { copiesTotal: drainCopies, copiesLeft: drainCopies };
    this.#setTask({ nodeId, kind: "drain", reason: "replaced", replacedByNodeId, ...copies });
  }

  /** The order's outcome, the first one for a repeated request id. Errors: notFound, precondition. */
  change(requestId: string, order: FleetCommand["command"]): MessageInitShape<typeof FleetOutcomeSchema> {
    const earlier = this.#outcomes.get(requestId);
    if (earlier !== undefined) return earlier;
    const refusal = this.refusalOf(order);
    if (refusal !== "") throw new Refusal("precondition", refusal);
    const outcome = this.#apply(order);
    this.orders.push(order);
    this.#outcomes.set(requestId, outcome);
    return outcome;
  }

  /** Why an order would be refused; empty when it would not. Errors: notFound. */
  refusalOf(order: FleetCommand["command"]): string {
    if (order.case === "removeNode" && !order.value.isForced) {
      const { intent, name } = this.node(order.value.nodeId);
      if (intent !== Intent.DRAINED) return `${name} still holds copies that are needed. Drain it first.`;
    }
    if (order.case === "setReplication" && order.value.replication > this.nodes.length)
      return `There are only ${this.nodes.length} active nodes.`;
    if (order.case === "issueJoinToken") return this.#replacedAlready(order.value.replacesNodeId);
    if (order.case === "startDrill" && this.drills.length > 0) return "Another drill runs. Stop it first.";
    return "";
  }

  #replacedAlready(nodeId: number): string {
    const isReplaced = this.tasks.some((task) => task.nodeId === nodeId && task.replacedByNodeId > 0);
    return isReplaced ? `${this.node(nodeId).name} was replaced already and gives its copies away.` : "";
  }

  /** The fleet now; drains and drills go on by being looked at. */
  describe(): MessageInitShape<typeof GetFleetResponseSchema> {
    this.#step();
    return {
      tasks: this.tasks,
      drills: this.drills,
      joinTokens: this.joinTokens,
      isRepairPaused: this.isRepairPaused,
      preset: "demo",
      balance: {
        isPaused: this.isBalancePaused,
        plannedMoves: 12n,
        activeMoves: this.isBalancePaused ? 0n : 2n,
        doneMoves: 88n,
        bytesPerSecond: this.isBalancePaused ? 0n : 21_000_000n,
        remainingMs: 40_000n,
        spreadPerMille: 74,
      },
    };
  }

  #step(): void {
    const now = BigInt(this.#nowMs());
    for (const drill of this.drills.filter((one) => one.endsAtMs <= now)) this.#endDrill(drill, "expired");
    for (const task of this.tasks.filter((one) => one.kind === "drain" && one.blockedReasons.length === 0)) {
      task.copiesLeft = task.copiesLeft > this.drainedPerLook ? task.copiesLeft - this.drainedPerLook : 0n;
      task.bytesLeft = task.copiesLeft * 4_194_304n;
      task.remainingMs = task.copiesLeft * 100n;
      task.isSafeToRemove = task.copiesLeft === 0n;
      const node = this.node(task.nodeId);
      if (!task.isSafeToRemove || node.intent === Intent.DRAINED) continue;
      node.intent = Intent.DRAINED;
      this.#note("NodeDrained", `${node.name} holds nothing that is needed any more`);
    }
  }

  #apply(order: FleetCommand["command"]): MessageInitShape<typeof FleetOutcomeSchema> {
    const now = BigInt(this.#nowMs());
    switch (order.case) {
      case "drainNode": {
        const node = this.node(order.value.nodeId);
        node.intent = Intent.DRAINING;
        const copies = { copiesTotal: drainCopies, copiesLeft: drainCopies, bytesLeft: drainCopies * 4_194_304n };
        this.#setTask({ ...copies, nodeId: node.nodeId, kind: "drain", startedAtMs: now, reason: order.value.reason });
        this.#note("NodeDraining", `${node.name} gives its copies away`);
        return {};
      }
      case "activateNode": {
        const node = this.node(order.value.nodeId);
        node.intent = Intent.ACTIVE;
        this.#dropTask(node.nodeId);
        this.#note("NodeActivated", `${node.name} takes copies again`);
        return {};
      }
      case "startMaintenance": {
        const { nodeId, durationMs, reason } = order.value;
        const node = this.node(nodeId);
        node.intent = Intent.MAINTENANCE;
        this.#setTask({ nodeId, kind: "maintenance", startedAtMs: now, endsAtMs: now + durationMs, reason });
        this.#note("MaintenanceStarted", `${node.name} may be away`);
        return {};
      }
      case "failNode": {
        const node = this.node(order.value.nodeId);
        node.intent = Intent.FAILED;
        this.#setTask({ nodeId: node.nodeId, kind: "failed", startedAtMs: now, reason: order.value.reason });
        this.#note("NodeFailed", `${node.name} was declared dead`);
        return {};
      }
      case "removeNode": {
        const node = this.node(order.value.nodeId);
        node.intent = Intent.REMOVED;
        this.#dropTask(node.nodeId);
        this.#note("NodeRemoved", `${node.name} is no longer part of the cluster`);
        return {};
      }
      case "labelNode": {
        const { nodeId, zone, rack } = order.value;
        Object.assign(this.node(nodeId), { zone, rack });
        return {};
      }
      case "setReplication":
        this.replication = order.value.replication;
        this.#note("ReplicationChanged", `${this.replication} copies of every chunk are wanted`);
        return {};
      case "setHousekeeping":
        this.isBalancePaused = order.value.isBalancePaused ?? this.isBalancePaused;
        this.isRepairPaused = order.value.isRepairPaused ?? this.isRepairPaused;
        return {};
      default:
        return this.#applyTokenOrDrill(order, now);
    }
  }

  #applyTokenOrDrill(order: FleetCommand["command"], now: bigint): MessageInitShape<typeof FleetOutcomeSchema> {
    switch (order.case) {
      case "issueJoinToken": {
        const joinTokenId = ++this.#lastId;
        const { label, lifetimeMs, replacesNodeId } = order.value;
        const times = { issuedAtMs: now, expiresAtMs: now + lifetimeMs };
        this.joinTokens.push(
          create(JoinTokenSchema, { joinTokenId, label, replacesNodeId, ...times, actor: "user:1" }),
        );
        return { joinTokenId };
      }
      case "revokeJoinToken": {
        const { joinTokenId, isAll } = order.value;
        const kept = this.joinTokens.filter((token) => !isAll && token.joinTokenId !== joinTokenId);
        this.joinTokens.splice(0, this.joinTokens.length, ...kept);
        return {};
      }
      case "startDrill": {
        const { nodeId, kind, durationMs, delayMs } = order.value;
        const node = this.node(nodeId);
        const drillId = BigInt(++this.#lastId);
        const times = { startedAtMs: now, endsAtMs: now + durationMs };
        this.drills.push(create(DrillSchema, { drillId, nodeId, kind, delayMs, ...times, actor: "user:1" }));
        node.drillIds.push(drillId);
        this.#note("DrillStarted", `drill ${drillId}: ${drillWords[kind] ?? ""} on ${node.name}`, drillId);
        if (kind === DrillKind.STOP || kind === DrillKind.PARTITION) {
          node.liveness = Liveness.DEAD;
          this.#note("NodeDown", `${node.name} was not heard for 10 s`, drillId);
        }
        return { drillId };
      }
      case "stopDrill": {
        const { drillId, nodeId } = order.value;
        const isMeant = (drill: Drill) =>
          drillId === 0n ? nodeId === 0 || drill.nodeId === nodeId : drill.drillId === drillId;
        for (const drill of this.drills.filter(isMeant)) this.#endDrill(drill, "stopped");
        return {};
      }
      default:
        throw new Refusal("invalidArgument", "The order is empty. Nothing was changed.");
    }
  }

  #endDrill(drill: Drill, reason: string): void {
    this.drills.splice(this.drills.indexOf(drill), 1);
    const node = this.node(drill.nodeId);
    node.drillIds = node.drillIds.filter((id) => id !== drill.drillId);
    node.liveness = Liveness.LIVE;
    this.#note("DrillEnded", `drill ${drill.drillId} on ${node.name} is over: ${reason}`, drill.drillId);
  }

  #setTask(task: MessageInitShape<typeof NodeTaskSchema>): void {
    this.#dropTask(task.nodeId ?? 0);
    this.tasks.push(create(NodeTaskSchema, task));
  }

  #dropTask(nodeId: number): void {
    const kept = this.tasks.filter((task) => task.nodeId !== nodeId);
    this.tasks.splice(0, this.tasks.length, ...kept);
  }
}
