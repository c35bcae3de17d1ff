import { must } from "@holdfast/base";
import { createMetrics, silentLogger } from "@holdfast/observability";
import type { SimNetwork } from "@holdfast/rpc/sim";
import type { SimMachine, SimProcess, SimWorld } from "@holdfast/runtime/sim";
import type { RaftNode } from "../../src/api.ts";
import type { PeerId } from "../../src/core/types.ts";
import { openRaftNode } from "../../src/node/open-raft-node.ts";
import type { RaftSettings } from "../../src/node/settings.ts";
import { RegisterMachine, type AppliedCommand } from "./register-machine.ts";
import type { SafetyChecker } from "./safety-checker.ts";

/** What all members of a run share. */
export interface VoprGroup {
  readonly world: SimWorld;
  readonly network: SimNetwork;
  readonly checker: SafetyChecker;
  readonly size: number;
  readonly settings: Partial<RaftSettings>;
}

/** A copy of a member's disk and state. */
interface Backup {
  readonly files: readonly (readonly [path: string, bytes: Uint8Array])[];
  readonly state: {
    readonly applied: readonly AppliedCommand[];
    readonly index: ReturnType<RegisterMachine["appliedIndex"]>;
  };
}

const directory = "/raft";

/** One member: the real node with the real log store on a simulated machine. It outlives its processes. */
export class VoprMember {
  readonly id: PeerId;
  readonly name: string;
  readonly machine: SimMachine;
  readonly state: RegisterMachine;
  /** Undefined while it is down or on its way up. */
  node: RaftNode | undefined;
  process: SimProcess | undefined;
  isBooting = false;
  /** Why it cannot start; undefined: it can. */
  refusal: string | undefined;
  readonly #group: VoprGroup;
  #backup: Backup | undefined;

  constructor(group: VoprGroup, id: number, clockRate: number) {
    this.#group = group;
    this.id = id as PeerId;
    this.name = `m${id}`;
    this.machine = group.world.machine(this.name);
    this.machine.clockRate = clockRate;
    this.state = new RegisterMachine((applied) => group.checker.applied(id, applied));
  }

  /** Starts in the background, unless it runs. A member whose log is damaged says so in `refusal`. */
  boot(): void {
    if (this.node !== undefined || this.isBooting) return;
    this.isBooting = true;
    this.refusal = undefined;
    const process = this.machine.startProcess();
    this.process = process;
    const isCurrent = (): boolean => this.process === process;
    this.#open(process).then(
      (node) => {
        if (!isCurrent()) return;
        this.isBooting = false;
        this.node = node;
      },
      (error: unknown) => {
        if (!isCurrent()) return;
        this.isBooting = false;
        this.refusal = error instanceof Error ? error.message : String(error);
        process.crash();
        this.process = undefined;
      },
    );
  }

  async #open(process: SimProcess): Promise<RaftNode> {
    const { checker, size, settings } = this.#group;
    const network = this.#group.network.forProcess(process);
    const { clock, timers, random, disk } = process;
    const ports = { clock, timers, random, disk, network, logger: silentLogger, metrics: createMetrics() };
    const peers = Array.from({ length: size }, (_, place) => ({
      id: (place + 1) as PeerId,
      address: `m${place + 1}:7000`,
    }));
    const node = await openRaftNode({ clusterId: "vopr", id: this.id, peers, directory, settings }, ports, this.state);
    node.subscribe((event) => {
      checker.looked(process.name, node.status());
      if (event.kind === "logRepaired") checker.repairedEntries += event.entries;
      if (event.kind === "diskFailed") this.#end(process);
    });
    await network.listen(`${this.name}:7000`, node.services);
    node.start();
    return node;
  }

  /** A process whose disk failed ends, as the masters' do. */
  #end(process: SimProcess): void {
    this.#group.world.scheduler.schedule(0, `end ${process.name}`, () => {
      if (this.process === process) this.crash("process", () => 0);
    });
  }

  /** Ends at once. `powerCut` also loses what was not synced. `pick` chooses what the state machine keeps. */
  crash(how: "process" | "powerCut", pick: (count: number) => number): void {
    this.node = undefined;
    this.isBooting = false;
    this.process?.crash();
    this.process = undefined;
    if (how === "powerCut") this.machine.powerCut();
    this.machine.disk.resume();
    this.state.crash(pick);
  }

  /** An orderly stop, in the background. */
  stop(onStopped: () => void): void {
    const { node, process } = this;
    if (node === undefined || process === undefined) return;
    this.node = undefined;
    this.isBooting = true;
    const over = (): void => {
      if (this.process !== process) return;
      process.crash();
      this.process = undefined;
      this.isBooting = false;
      onStopped();
    };
    node.stop().then(over, over);
  }

  /** Files of the log with their size, in a fixed order. */
  files(): readonly { readonly path: string; readonly sizeBytes: number }[] {
    const files = [...this.machine.disk.data.files()].map(([path, inode]) => ({ path, sizeBytes: inode.sizeBytes }));
    return files.filter(({ sizeBytes }) => sizeBytes > 0).sort((left, right) => (left.path < right.path ? -1 : 1));
  }

  /** A new, empty disk. Only while it is down. */
  wipe(): void {
    this.machine.disk.data.wipe();
    this.state.wipe();
  }

  /** Copies what is durable now (as a file system's snapshot would). */
  takeBackup(): void {
    const files = [...this.machine.disk.data.files()].map(
      ([path, inode]) => [path, inode.read(0, inode.sizeBytes)] as const,
    );
    this.#backup = { files, state: this.state.backup() };
  }

  /** Puts the backup back; false when there is none. Only while it is down. */
  restoreBackup(): boolean {
    if (this.#backup === undefined) return false;
    this.wipe();
    const { data } = this.machine.disk;
    for (const [path, bytes] of this.#backup.files) {
      data.makeDirectory(path.slice(0, path.lastIndexOf("/")));
      const inode = data.create(path);
      inode.write(bytes, 0);
      inode.sync();
      data.syncDirectory(path.slice(0, path.lastIndexOf("/")));
    }
    this.state.restore(must(this.#backup, "there is a backup").state);
    return true;
  }
}
