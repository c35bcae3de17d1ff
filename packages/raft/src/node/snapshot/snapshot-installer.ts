import { assert, must } from "@holdfast/base";
import type { SnapshotMeta } from "../../core/entries.ts";
import type { LogIndex } from "../../core/types.ts";
import type { ReceivedSnapshot } from "./snapshot-receiver.ts";

interface Staged {
  readonly snapshot: ReceivedSnapshot;
  readonly resolve: (isInstalled: boolean) => void;
  isTaken: boolean;
}

/** What installing goes through. */
export interface SnapshotInstallerOptions {
  /** The core is to hear of it. */
  readonly announce: (snapshot: ReceivedSnapshot) => void;
  /** Ends what the state machine is doing; nothing more is applied until the installation is over. */
  readonly quiesce: () => Promise<void>;
  /** Notes durably what is about to happen. */
  readonly intend: (meta: SnapshotMeta) => Promise<void>;
  /** Where the log is committed. */
  readonly commitIndex: () => LogIndex;
}

/** A received state waits here until the core has decided whether it takes the place of the present one. */
export class SnapshotInstaller {
  readonly #options: SnapshotInstallerOptions;
  #staged: Staged | undefined;

  constructor(options: SnapshotInstallerOptions) {
    this.#options = options;
  }

  /** A state waits for the core's decision. */
  get isWaiting(): boolean {
    return this.#staged?.isTaken === false;
  }

  /** A whole state is here. Resolves with whether everything up to it is here in the end. */
  offer(snapshot: ReceivedSnapshot): Promise<boolean> {
    assert(this.#staged === undefined, "the receiver hands over one at a time");
    return new Promise((resolve) => {
      this.#staged = { snapshot, resolve, isTaken: false };
      this.#options.announce(snapshot);
    });
  }

  /** The core has looked at everything that was queued; `taken` is the snapshot that it wants installed now. */
  async decided(taken: SnapshotMeta | undefined): Promise<void> {
    const staged = this.#staged;
    if (staged === undefined || staged.isTaken) return;
    if (taken !== undefined) {
      staged.isTaken = true;
      return;
    }
    this.#staged = undefined;
    await staged.snapshot.installation.discard();
    staged.resolve(this.#options.commitIndex() >= staged.snapshot.meta.index);
  }

  /** Puts the state in its place; `persist` then makes the log follow. */
  async install(meta: SnapshotMeta, persist: () => Promise<void>): Promise<ReceivedSnapshot> {
    const staged = must(this.#staged, "the core only takes what was announced");
    try {
      await this.#options.quiesce();
      await this.#options.intend(meta);
      await staged.snapshot.installation.install(meta.index);
      await persist();
      this.#staged = undefined;
      staged.resolve(true);
      return staged.snapshot;
    } catch (error) {
      this.#staged = undefined;
      staged.resolve(false);
      throw error;
    }
  }

  /** The node stops. */
  async stop(): Promise<void> {
    const staged = this.#staged;
    if (staged === undefined || staged.isTaken) return;
    this.#staged = undefined;
    staged.resolve(false);
    await staged.snapshot.installation.discard();
  }
}
