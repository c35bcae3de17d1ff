import { isHoldfastError } from "@holdfast/base";
import type { Network } from "@holdfast/rpc";
import type { SimNetwork } from "@holdfast/rpc/sim";
import type { SimMachine, SimProcess, SimWorld } from "@holdfast/runtime/sim";

/** Something that runs in a process and can be stopped. */
export interface Running {
  stop(): Promise<void>;
}

/** What a process is started with. */
export interface HostPorts {
  readonly process: SimProcess;
  readonly network: Network;
  /** Ends the process, as `process.exit` does; the supervisor starts it again. */
  readonly exit: () => void;
}

/** What a host is made of. */
export interface HostOptions<R extends Running> {
  readonly name: string;
  readonly machine: SimMachine;
  readonly build: (ports: HostPorts) => Promise<R>;
}

const startRetryMs = 500;

/** One machine with one process on it that is started again whenever it is down and wanted, as the supervisor does. */
export class SimulatedHost<R extends Running> {
  readonly name: string;
  readonly machine: SimMachine;
  readonly #world: SimWorld;
  readonly #network: SimNetwork;
  readonly #options: HostOptions<R>;
  #process: SimProcess | undefined;
  #running: R | undefined;
  #startCount = 0;
  #isRemoved = false;

  constructor(world: SimWorld, network: SimNetwork, options: HostOptions<R>) {
    this.name = options.name;
    this.machine = options.machine;
    this.#world = world;
    this.#network = network;
    this.#options = options;
  }

  /** What runs, once it has started; undefined while it is down or starting. */
  get running(): R | undefined {
    return this.#running;
  }

  /** The live process, started or starting. */
  get process(): SimProcess | undefined {
    return this.#process;
  }

  /** How often it was started. */
  get startCount(): number {
    return this.#startCount;
  }

  /** Starts a process unless one lives. What keeps it from starting is tried again. */
  start(): void {
    if (this.#process !== undefined || this.#isRemoved) return;
    const process = this.machine.startProcess();
    this.#process = process;
    this.#startCount++;
    process.onEnd(() => {
      if (this.#process !== process) return;
      this.#process = undefined;
      this.#running = undefined;
    });
    const network = this.#network.forProcess(process);
    const exit = (): void => this.#exit(process);
    this.#options.build({ process, network, exit }).then(
      (running) => {
        if (process.isAlive) this.#running = running;
      },
      (error: unknown) => this.#failed(process, error),
    );
  }

  #failed(process: SimProcess, error: unknown): void {
    if (!process.isAlive) return;
    // Bugs end the run; what the world did to the process (a stalled disk, a peer that is away) is met by trying again.
    if (!isHoldfastError(error)) {
      this.#world.scheduler.schedule(0, `bug ${this.name}`, () => {
        throw error;
      });
      return;
    }
    this.#exit(process);
  }

  #exit(process: SimProcess): void {
    if (!process.isAlive) return;
    process.crash();
    this.#world.scheduler.schedule(startRetryMs, `restart ${this.name}`, () => this.start());
  }

  /** kill -9. */
  kill(): void {
    this.#process?.crash();
  }

  /** Cuts the machine's power. */
  powerCut(): void {
    this.machine.powerCut();
  }

  /** Ends it for ever. */
  remove(): void {
    this.#isRemoved = true;
    this.kill();
  }
}
