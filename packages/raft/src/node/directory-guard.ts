import type { Logger } from "@holdfast/observability";

/** What guarding a log's directory needs. */
export interface DirectoryGuardOptions {
  /** Whether the directory is still where it was. */
  readonly isThere: () => Promise<boolean>;
  /** The next start is to set it aside and join anew. */
  readonly orderRenewal: () => Promise<void>;
  readonly logger: Logger;
  /** The directory cannot be gone on with. */
  readonly onLost: (sentence: string, error: unknown) => void;
}

/** How often a node looks whether its directory is there. */
export const directoryCheckMs = 1000;

/** Ends a node whose directory is not what it was: the next start joins the group anew. */
export class DirectoryGuard {
  readonly #options: DirectoryGuardOptions;

  constructor(options: DirectoryGuardOptions) {
    this.#options = options;
  }

  /** Who has a removed file open can write to it for ever and keeps nothing. A disk that cannot be asked says so elsewhere. */
  look(): void {
    const { isThere, logger, onLost } = this.#options;
    isThere().then(
      (isFound) => {
        if (!isFound) onLost("the log's directory was removed", new Error("start again to join anew"));
      },
      (error: unknown) => logger.warn("raft.directory_unknown", { message: String(error) }),
    );
  }

  /** This directory may speak for this node no more, for the reason given. Settles when the node has ended. */
  async renew(reason: string): Promise<void> {
    try {
      await this.#options.orderRenewal();
    } catch (error) {
      this.#options.onLost(reason, error);
      return;
    }
    this.#options.onLost("the directory is set aside at the next start, and joins anew", new Error(reason));
  }
}
