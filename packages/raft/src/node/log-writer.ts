import type { Timers } from "@holdfast/runtime";
import type { Message } from "../core/messages.ts";
import type { PersistOrder } from "../core/output.ts";
import type { LogStore } from "../log-store/log-store.ts";
import type { ReceivedSnapshot } from "./snapshot/snapshot-receiver.ts";
import type { SnapshotInstaller } from "./snapshot/snapshot-installer.ts";

/** What writing a core's orders needs. */
export interface LogWriterOptions {
  readonly store: LogStore;
  readonly timers: Timers;
  readonly installer: SnapshotInstaller;
  /** What of others' promises is to be written along. */
  readonly takePromises: () => Uint8Array | undefined;
  /** State and log are those of this snapshot now. */
  readonly onInstalled: (snapshot: ReceivedSnapshot) => void;
}

/** Makes a core's orders durable in order. While a snapshot is being installed, what comes after it waits. */
export class LogWriter {
  readonly #options: LogWriterOptions;
  #gate: Promise<void> | undefined;
  /** Orders that let what is being sent leave first, and all after them. */
  #waiting: { readonly order: PersistOrder; readonly begin: (written: Promise<void>) => void }[] = [];

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the order and all before it are durable. When entries are sent in the same turn of the event loop, it is
   * begun when the turn ends: they leave first, and the followers write while this node does (dissertation §10.2.1), not
   * after it has got its own write ready.
   */
  write(order: PersistOrder, sent: readonly Message[] = []): Promise<void> {
    if (this.#waiting.length === 0) {
      if (!sent.some(hasEntries)) return this.#begin(order);
      this.#options.timers.after(0, () => this.#beginWaiting());
    }
    return new Promise((begin) => this.#waiting.push({ order, begin }));
  }

  #beginWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { order, begin } of waiting) begin(this.#begin(order));
  }

  #begin(order: PersistOrder): Promise<void> {
    if (this.#gate === undefined && order.snapshot === undefined) {
      const promises = this.#options.takePromises();
      return this.#options.store.append(promises === undefined ? order : { ...order, promises });
    }
    const written = (this.#gate ?? Promise.resolve()).then(() => this.#writeOne(order));
    this.#gate = written;
    const open = (): void => {
      if (this.#gate === written) this.#gate = undefined;
    };
    written.then(open, open);
    return written;
  }

  /** Begins what waits, and waits for an installation that is under way. */
  async settled(): Promise<void> {
    this.#beginWaiting();
    try {
      await this.#gate;
    } catch {
      // Told to whoever ordered it.
    }
  }

  async #writeOne(order: PersistOrder): Promise<void> {
    const { store, installer, onInstalled } = this.#options;
    if (order.snapshot === undefined) return store.append(order);
    onInstalled(await installer.install(order.snapshot, () => store.append(order)));
  }
}

function hasEntries(message: Message): boolean {
  return message.kind === "appendRequest" && message.entries.length > 0;
}
