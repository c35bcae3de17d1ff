import { must } from "@holdfast/base";
import { createMetrics, silentLogger, type Logger } from "@holdfast/observability";
import { createSimNetwork, type SimNetwork } from "@holdfast/rpc/sim";
import { createSimWorld, type SimProcess, type SimWorld } from "@holdfast/runtime/sim";
import type {
  CommittedEntry,
  ProposeOutcome,
  RaftEvent,
  RaftNode,
  RaftPeer,
  SnapshotPiece,
  SnapshotSupport,
  StateInstallation,
  StateMachine,
  StateSnapshot,
} from "../src/api.ts";
import type { LogIndex, PeerId } from "../src/core/types.ts";
import { openRaftNode } from "../src/node/open-raft-node.ts";
import type { RaftSettings } from "../src/node/settings.ts";

/** A state machine for tests: remembers what it was given, in order. Its content counts as durable at once. */
export class RecordingStateMachine implements StateMachine {
  entries: CommittedEntry[] = [];
  /** Without, members can only be helped with entries. */
  readonly snapshots?: SnapshotSupport;
  /** How often another member's state took the place of this one. */
  installCount = 0;
  /** Pieces of other members' states that were taken. */
  addedPieces = 0;
  #appliedIndex = 0 as LogIndex;

  constructor(pieceEntries = 0) {
    if (pieceEntries > 0)
      this.snapshots = { open: () => this.#open(pieceEntries), begin: async () => new RecordedInstallation(this) };
  }

  /** Another state, at once. */
  replace(entries: readonly CommittedEntry[], index: LogIndex): void {
    this.entries = [...entries];
    this.#appliedIndex = index;
    this.installCount++;
  }

  async #open(pieceEntries: number): Promise<StateSnapshot> {
    const entries = [...this.entries];
    const index = this.#appliedIndex;
    async function* pieces(afterKey: Uint8Array): AsyncGenerator<SnapshotPiece> {
      const start = afterKey.length === 0 ? 0 : Number(new TextDecoder().decode(afterKey));
      for (let at = start; at < entries.length; at += pieceEntries) {
        const part = entries.slice(at, at + pieceEntries).map((entry) => [entry.index, entry.term, [...entry.data]]);
        const lastKey = new TextEncoder().encode(String(at + part.length));
        yield { data: new TextEncoder().encode(JSON.stringify(part)), lastKey };
      }
    }
    return { index, sizeBytesEstimate: 40 * entries.length, pieces, close: async () => undefined };
  }

  appliedIndex(): LogIndex {
    return this.#appliedIndex;
  }

  async apply(entries: readonly CommittedEntry[], throughIndex: LogIndex): Promise<void> {
    for (const entry of entries) this.entries.push({ ...entry, data: Uint8Array.from(entry.data) });
    this.#appliedIndex = throughIndex;
  }

  async flush(): Promise<void> {
    // Durable already.
  }

  /** The data as text, in order. */
  texts(): readonly string[] {
    return this.entries.map(({ data }) => new TextDecoder().decode(data));
  }
}

class RecordedInstallation implements StateInstallation {
  readonly #machine: RecordingStateMachine;
  readonly #entries: CommittedEntry[] = [];

  constructor(machine: RecordingStateMachine) {
    this.#machine = machine;
  }

  async add({ data }: SnapshotPiece): Promise<void> {
    this.#machine.addedPieces++;
    const part = JSON.parse(new TextDecoder().decode(data)) as [number, number, number[]][];
    for (const [index, term, bytes] of part)
      this.#entries.push({ index, term, data: Uint8Array.from(bytes) } as unknown as CommittedEntry);
  }

  async install(index: LogIndex): Promise<void> {
    this.#machine.replace(this.#entries, index);
  }

  async discard(): Promise<void> {
    // Held in memory only.
  }
}

/** A member that runs. */
export interface SimMember {
  readonly id: PeerId;
  readonly process: SimProcess;
  readonly node: RaftNode;
  readonly events: readonly RaftEvent[];
  readonly stop: () => Promise<void>;
}

/** How a simulated group is made. */
export interface SimClusterOptions {
  readonly seed: number | string;
  readonly size?: number;
  readonly settings?: Partial<RaftSettings>;
  readonly logger?: Logger;
  /** Entries of one piece of a snapshot; 0 (default): the state machine makes none. */
  readonly pieceEntries?: number;
}

/** A Raft group in a simulated world: members m1, m2 ... on machines of the same names. */
export class SimCluster {
  readonly world: SimWorld;
  readonly network: SimNetwork;
  readonly ids: readonly PeerId[];
  readonly members = new Map<PeerId, SimMember>();
  /** Survive crashes, as LevelDB does. */
  readonly stateMachines = new Map<PeerId, RecordingStateMachine>();
  readonly #options: SimClusterOptions;

  constructor(options: SimClusterOptions) {
    this.#options = options;
    this.world = createSimWorld(options.seed);
    this.network = createSimNetwork(this.world);
    this.ids = Array.from({ length: options.size ?? 3 }, (_, index) => (index + 1) as PeerId);
  }

  /** Starts all members. */
  async startAll(): Promise<void> {
    for (const id of this.ids) await this.start(id);
  }

  /** Starts a member on its machine. */
  async start(id: PeerId): Promise<SimMember> {
    const process = this.world.machine(nameOf(id)).startProcess();
    const member = await this.world.settle(this.#boot(id, process), 60_000);
    this.members.set(id, member);
    return member;
  }

  /** Starts a member while the world runs on. Rejects when it cannot; never settles when it is crashed meanwhile. */
  async startInBackground(id: PeerId): Promise<SimMember> {
    const process = this.world.machine(nameOf(id)).startProcess();
    const member = await this.#boot(id, process);
    this.members.set(id, member);
    return member;
  }

  /** Kills a member's process; `powerCut` also loses what was not synced. */
  crash(id: PeerId, how: "process" | "powerCut" = "process"): void {
    const member = must(this.members.get(id), "the member runs");
    this.members.delete(id);
    if (how === "process") member.process.crash();
    else this.world.machine(nameOf(id)).powerCut();
  }

  /** The member's machine gets a new, empty disk. */
  wipe(id: PeerId): void {
    if (this.members.has(id)) this.crash(id);
    this.world.machine(nameOf(id)).wipe();
    this.stateMachines.delete(id);
  }

  /** The member that leads and is ready, once there is exactly one of the highest term. */
  leader(): SimMember | undefined {
    const ready = [...this.members.values()].filter(({ node }) => node.status().isReadyLeader);
    return ready.toSorted((left, right) => right.node.status().term - left.node.status().term)[0];
  }

  /** Waits for a ready leader. */
  async elect(limitMs = 10_000): Promise<SimMember> {
    if (!(await this.world.runUntil(() => this.leader() !== undefined, limitMs)))
      throw new Error(`no leader within ${limitMs} ms`);
    return must(this.leader(), "there is a leader");
  }

  /** Proposes a text at a member and waits for the outcome. */
  propose(member: SimMember, text: string): Promise<ProposeOutcome> {
    return this.world.settle(member.node.propose(new TextEncoder().encode(text)), 60_000);
  }

  /** Waits until all running members have applied the same index. */
  async settleApplied(limitMs = 20_000): Promise<boolean> {
    return this.world.runUntil(() => {
      const statuses = [...this.members.values()].map(({ node }) => node.status());
      return (
        new Set(statuses.map(({ appliedIndex }) => appliedIndex)).size === 1 &&
        statuses.every(({ appliedIndex, lastIndex }) => appliedIndex === lastIndex)
      );
    }, limitMs);
  }

  /** A member's state machine. */
  stateMachine(id: PeerId): RecordingStateMachine {
    let stateMachine = this.stateMachines.get(id);
    if (stateMachine === undefined) {
      stateMachine = new RecordingStateMachine(this.#options.pieceEntries);
      this.stateMachines.set(id, stateMachine);
    }
    return stateMachine;
  }

  /** How a member is reached. */
  peer(id: number): RaftPeer {
    return { id: id as PeerId, address: `${nameOf(id as PeerId)}:7000` };
  }

  async #boot(id: PeerId, process: SimProcess): Promise<SimMember> {
    const network = this.network.forProcess(process);
    const ports = {
      clock: process.clock,
      timers: process.timers,
      random: process.random,
      disk: process.disk,
      network,
      logger: this.#options.logger ?? silentLogger,
      metrics: createMetrics(),
    };
    const known = this.ids.includes(id) ? this.ids : [...this.ids, id];
    const peers = known.map((peer) => this.peer(peer));
    const settings = this.#options.settings;
    const config = { clusterId: "sim", id, peers, directory: "/raft", ...(settings === undefined ? {} : { settings }) };
    const node = await openRaftNode(config, ports, this.stateMachine(id));
    const events: RaftEvent[] = [];
    node.subscribe((event) => events.push(event));
    const listener = await network.listen(`${nameOf(id)}:7000`, node.services);
    node.start();
    const stop = async (): Promise<void> => {
      this.members.delete(id);
      await node.stop();
      await listener.close();
      await network.close();
      process.crash();
    };
    return { id, process, node, events, stop };
  }
}

/** The machine of a member. */
export function nameOf(id: PeerId): string {
  return `m${id}`;
}
