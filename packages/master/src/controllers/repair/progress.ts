/** The repair queue in numbers. */
export interface RepairNumbers {
  readonly waitingChunks: number;
  readonly activeChunks: number;
  readonly bytesPerSecond: number;
  /** 0 = nothing to do or unknown. */
  readonly remainingMs: number;
  /** Empty when it goes on. */
  readonly stoppedReason: string;
}

const nothing: RepairNumbers = {
  waitingChunks: 0,
  activeChunks: 0,
  bytesPerSecond: 0,
  remainingMs: 0,
  stoppedReason: "",
};

/** What the controller of copies last saw, for those who show it. Only the leader's is of use. */
export class RepairProgress {
  #repair = nothing;
  #copyBytesPerSecond = 0;

  get(): RepairNumbers {
    return this.#repair;
  }

  set(numbers: RepairNumbers): void {
    this.#repair = numbers;
  }

  /** Everything that is copied, whatever for. */
  copyBytesPerSecond(): number {
    return this.#copyBytesPerSecond;
  }

  setCopyBytesPerSecond(bytes: number): void {
    this.#copyBytesPerSecond = bytes;
  }

  /** A new leadership knows nothing yet. */
  reset(): void {
    this.#repair = nothing;
    this.#copyBytesPerSecond = 0;
  }
}
