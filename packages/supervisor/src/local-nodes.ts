import { HoldfastError } from "@holdfast/base";
import type { LocalNodesFile } from "./local-nodes-file.ts";

/** A chunkserver's process, as far as starting and stopping goes. */
export interface NodeProcess {
  readonly state: "running" | "stopped" | "restarting";
  /** 0 while there is none. */
  readonly pid: number;
  start(): void;
  stop(): Promise<void>;
}

/** One chunkserver of this machine. */
export interface LocalNode {
  readonly name: string;
  readonly state: "running" | "stopped" | "restarting";
  readonly pid: number;
}

/** What starting and stopping works with. */
export interface LocalNodesOptions {
  /** Nodes that belong to the cluster by its settings, by name. */
  readonly plannedNames: readonly string[];
  /** Names whose directories exist already, from whatever time: a new node never takes one of them. */
  readonly takenNames: readonly string[];
  readonly file: LocalNodesFile;
  /** Keeps the secret of the join token that a new node is to join with; durable when it settles. */
  readonly keepJoinSecret: (name: string, joinSecret: string) => Promise<void>;
  /** Makes the process of a node with ports that are free now; does not start it. */
  readonly makeProcess: (name: string) => Promise<NodeProcess>;
}

/** Chunkservers on one machine at most. */
export const localNodesMax = 64;

/** The chunkservers of this machine: those of the settings, those added later, and those that were stopped and stay so. */
export class LocalNodes {
  readonly #options: LocalNodesOptions;
  readonly #processes = new Map<string, NodeProcess>();
  readonly #known: Set<string>;
  readonly #stopped: Set<string>;
  readonly #added: Set<string>;
  #last: Promise<unknown> = Promise.resolve();
  #isEnded = false;

  constructor(options: LocalNodesOptions) {
    const { added, stopped } = options.file.content;
    this.#options = options;
    this.#added = new Set(added);
    this.#stopped = new Set(stopped);
    this.#known = new Set([...options.plannedNames, ...added]);
  }

  /** Starts every node that is not to stay stopped. */
  async startAll(): Promise<void> {
    for (const name of this.#known) if (!this.#stopped.has(name)) await this.#run(name);
  }

  /** By name, numbers in order. */
  list(): readonly LocalNode[] {
    return [...this.#known].sort(byNumber).map((name) => {
      const { state = "stopped", pid = 0 } = this.#processes.get(name) ?? {};
      return { name, state, pid };
    });
  }

  /**
   * Starts a stopped node, or with "" a new one, which may join with the secret of a join token; answers its name. One that
   * runs is left as it is.
   * Errors: tooBusy (so many run), notFound (never there), invalidArgument (a join secret for one that is there, or none
   * of 64 hex digits), unavailable (everything is being stopped).
   */
  start(name: string, joinSecret = ""): Promise<string> {
    return this.#inTurn(async () => {
      requireJoinSecret(name, joinSecret);
      if (name !== "") this.#assertKnown(name);
      if (this.#processes.has(name)) return name;
      if (this.#processes.size >= localNodesMax) {
        throw new HoldfastError(
          "tooBusy",
          `${localNodesMax} nodes run on this machine already. Nothing was changed; stop one first.`,
        );
      }
      const chosen = name === "" ? this.#newName() : name;
      const isAdded = !this.#options.plannedNames.includes(chosen);
      if (joinSecret !== "") await this.#options.keepJoinSecret(chosen, joinSecret);
      // Remembered first: what runs must be there after a restart of everything.
      await this.#options.file.write({
        added: [...new Set([...this.#added, ...(isAdded ? [chosen] : [])])].sort(byNumber),
        stopped: [...this.#stopped].filter((each) => each !== chosen),
      });
      this.#known.add(chosen);
      if (isAdded) this.#added.add(chosen);
      this.#stopped.delete(chosen);
      await this.#run(chosen);
      return chosen;
    });
  }

  /** Ends a node's process and leaves it stopped. Errors: notFound. */
  stop(name: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#assertKnown(name);
      if (!this.#stopped.has(name)) {
        const stopped = [...this.#stopped, name].sort(byNumber);
        await this.#options.file.write({ added: [...this.#added].sort(byNumber), stopped });
        this.#stopped.add(name);
      }
      const process = this.#processes.get(name);
      this.#processes.delete(name);
      await process?.stop();
    });
  }

  /** Ends all processes; nothing is remembered as stopped. No node starts afterwards. */
  async stopAll(): Promise<void> {
    this.#isEnded = true;
    await this.#last;
    await Promise.all([...this.#processes.values()].map((process) => process.stop()));
    this.#processes.clear();
  }

  async #run(name: string): Promise<void> {
    const process = await this.#options.makeProcess(name);
    this.#processes.set(name, process);
    process.start();
  }

  /** One change at a time, so that names and the file agree. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(async () => {
      if (this.#isEnded) throw new HoldfastError("unavailable", "Everything on this machine is being stopped.");
      return work();
    });
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  #assertKnown(name: string): void {
    if (this.#known.has(name)) return;
    throw new HoldfastError("notFound", `There is no node "${name}" on this machine. Nothing was changed.`);
  }

  #newName(): string {
    const numbers = [...this.#known, ...this.#options.takenNames].map(numberOf);
    return `node-${Math.max(0, ...numbers) + 1}`;
  }
}

function requireJoinSecret(name: string, joinSecret: string): void {
  if (joinSecret === "" || (name === "" && /^[0-9a-f]{64}$/.test(joinSecret))) return;
  throw new HoldfastError(
    "invalidArgument",
    "Only a new node joins with a join token, and its secret is 64 hex digits. Nothing was changed.",
  );
}

function numberOf(name: string): number {
  return Number(/^node-([0-9]{1,6})$/.exec(name)?.[1] ?? 0);
}

function byNumber(left: string, right: string): number {
  return numberOf(left) - numberOf(right);
}
