import type { PersistOrder } from "../core/output.ts";
import type { LogStore } from "../log-store/log-store.ts";
import type { ReceivedSnapshot } from "./snapshot/snapshot-receiver.ts";
import type { SnapshotInstaller } from "./snapshot/snapshot-installer.ts";

/** What writing a core's orders needs. */
export interface LogWriterOptions {
  readonly store: LogStore;
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

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  /** Resolves when the order and all before it are durable. */
  write(order: PersistOrder): Promise<void> {
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

  /** Waits for an installation that is under way. */
  async settled(): Promise<void> {
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
