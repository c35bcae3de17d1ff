import { assert } from "@holdfast/base";
import type { ConfigurationChange, SnapshotMeta } from "../core/entries.ts";
import type { Input } from "../core/input.ts";
import type { Message } from "../core/messages.ts";
import type { CoreEvent, FetchOrder, Output, PersistOrder, Reply } from "../core/output.ts";
import type { RaftCore, RaftView } from "../core/raft-core.ts";
import type { LogIndex } from "../core/types.ts";
import { HandOvers } from "./hand-over.ts";
import { Orders } from "./orders.ts";
import { Proposals } from "./proposals.ts";
import type { RaftNodeParts } from "./raft-node-parts.ts";
import type { ShellOrgans } from "./shell-organs.ts";

/** What the loop needs of the node around it. */
export interface CoreLoopOptions {
  readonly parts: RaftNodeParts;
  /** Where the state machine stands for this node. */
  readonly appliedIndex: LogIndex;
  readonly organs: () => ShellOrgans;
  readonly isRunning: () => boolean;
  readonly onCoreEvent: (event: CoreEvent) => void;
  /** Log entries up to here are gone. */
  readonly onCompacted: (index: LogIndex) => void;
  readonly fail: (sentence: string, error: unknown) => void;
}

/** Why a node fails whose log cannot take more. */
export const writeFailed = "the log could not be written";

/**
 * The core and its turns. One turn: all queued inputs are stepped, the core is drained once, and what it wants is begun:
 * persisting (with everything else that waits, under one fsync), sending, applying, answering. Nothing of that blocks the
 * next turn; what finishes comes back as an input.
 */
export class CoreLoop {
  readonly #options: CoreLoopOptions;
  readonly proposals = new Proposals();
  readonly handOvers: HandOvers;
  readonly #orders = new Orders();
  #core: RaftCore;
  #inputs: Input[] = [];
  #nextRef = 1;
  #isTurnScheduled = false;

  constructor(options: CoreLoopOptions) {
    this.#options = options;
    const { createCore, store, ports } = options.parts;
    this.handOvers = new HandOvers({
      ...{ proposals: this.proposals, orders: this.#orders, clock: ports.clock, timers: ports.timers },
      nextRef: () => this.nextRef(),
      enqueue: (input) => this.enqueue(input),
      onOver: () => this.scheduleTurn(),
    });
    this.#core = createCore(store.boot, options.appliedIndex);
  }

  get core(): RaftCore {
    return this.#core;
  }

  view(): RaftView {
    return this.#core.view();
  }

  /** Names a question to the core, once. */
  nextRef(): number {
    return this.#nextRef++;
  }

  /** Asks the core for a change of the membership; resolves with its answer. */
  order(change: ConfigurationChange): Promise<Reply> {
    const ref = this.nextRef();
    const answer = this.#orders.add(ref);
    this.enqueue({ kind: "changeConfiguration", ref, change });
    return answer;
  }

  /** The core hears of it in the next turn. */
  enqueue(input: Input): void {
    this.#inputs.push(input);
    this.scheduleTurn();
  }

  /** There is something to do. Idempotent until the turn. */
  scheduleTurn(): void {
    if (this.#isTurnScheduled || !this.#options.isRunning()) return;
    this.#isTurnScheduled = true;
    queueMicrotask(() => this.#turn());
  }

  /** A new core begins at `start`, as a member that founds or joins. */
  async begin(start: SnapshotMeta): Promise<void> {
    const { store, createCore, founding } = this.#options.parts;
    const promises = this.#organs.desk.takeChangedPromises();
    await store.append({ snapshot: start, append: [], mustSync: true, ...(promises && { promises }) });
    if (start !== founding) this.#core = createCore({ ...store.boot, logStart: start }, 0 as LogIndex);
  }

  /** Out by the peers' streams; a snapshot by one of its own. */
  send(message: Message): void {
    if (message.kind === "snapshotRequest") this.#organs.sender.send(message.to);
    else this.#options.parts.transport.send(message);
  }

  /** The node ends: nobody will know what became of what is open. */
  end(): void {
    this.proposals.end();
    this.#orders.end();
  }

  get #organs(): ShellOrgans {
    return this.#options.organs();
  }

  #turn(): void {
    this.#isTurnScheduled = false;
    if (!this.#options.isRunning()) return;
    const inputs = this.#inputs;
    this.#inputs = [];
    for (const input of inputs) this.#core.step(input);
    const proposals = this.handOvers.isOpen ? [] : this.proposals.takeFresh();
    if (proposals.length > 0) this.#core.step({ kind: "propose", proposals });
    const { reads } = this.#organs;
    for (const read of reads.takeFresh(() => this.nextRef())) this.#core.step(read);
    this.#carryOut(this.#core.drain());
    if (reads.hasFresh) this.scheduleTurn();
  }

  #carryOut(output: Output): void {
    const { installer, leases, sendAfter, desk, applier } = this.#organs;
    if (installer.isWaiting)
      this.#watch(installer.decided(output.persist?.snapshot), "a refused snapshot could not be removed");
    if (output.persist !== undefined) this.#persist(output.persist, output.send);
    leases.sending(output.send);
    for (const message of output.send) this.send(message);
    for (const { token, message } of output.sendAfter) sendAfter.add(token, message);
    if (output.apply.length > 0) {
      desk.watch(output.apply);
      applier.push(output.apply);
    }
    for (const order of output.fetch) this.#fetch(order);
    if (output.compact !== undefined) this.#compact(output.compact);
    for (const reply of output.replies) this.#answer(reply);
    for (const event of output.events) this.#options.onCoreEvent(event);
  }

  #persist(order: PersistOrder, sent: readonly Message[]): void {
    this.#organs.writer.write(order, sent).then(
      () => {
        this.#organs.sendAfter.release(order.token);
        this.enqueue({ kind: "persisted", token: order.token });
      },
      (error: unknown) => {
        if (!this.#options.isRunning()) return;
        // Stepped at once, so that nothing more is promised from here on.
        this.#core.step({ kind: "persistFailed", token: order.token });
        this.#options.fail(writeFailed, error);
      },
    );
  }

  #compact(start: SnapshotMeta): void {
    const compacted = this.#options.parts.store.compact(this.#organs.desk.compact(start));
    const told = compacted.then(() => this.#options.onCompacted(start.index));
    this.#watch(told, "the log could not be shortened");
  }

  #fetch(order: FetchOrder): void {
    const fetched = this.#options.parts.store
      .read(order)
      .then((entries) => this.enqueue({ kind: "fetched", ref: order.ref, entries }));
    this.#watch(fetched, "the log could not be read");
  }

  #answer(reply: Reply): void {
    const isOurs =
      this.proposals.answer(reply, this.#organs.waiters.appliedIndex) ||
      this.#organs.reads.answer(reply) ||
      this.#orders.answer(reply);
    assert(isOurs, "the core answers what it was asked, once");
  }

  #watch(promise: Promise<void>, sentence: string): void {
    promise.catch((error: unknown) => this.#options.fail(sentence, error));
  }
}
