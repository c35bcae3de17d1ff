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

/** What the repair controller last saw, for those who show it. Only the leader's is of use. */
export class RepairProgress {
  #numbers = nothing;

  get(): RepairNumbers {
    return this.#numbers;
  }

  set(numbers: RepairNumbers): void {
    this.#numbers = numbers;
  }
}
