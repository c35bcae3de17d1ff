import type { DrainProgress } from "../drain/plan.ts";

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

/** How far a node is with giving its copies away. */
export interface DrainNumbers extends DrainProgress {
  /** 0 = done or unknown. */
  readonly remainingMs: number;
}

/** Balancing in numbers. */
export interface BalanceNumbers {
  readonly plannedMoves: number;
  readonly activeMoves: number;
  readonly doneMoves: number;
  readonly bytesPerSecond: number;
  /** 0 = nothing to do or unknown. */
  readonly remainingMs: number;
  readonly spreadPerMille: number;
  /** Empty when it goes on, or when nothing is to do. */
  readonly stoppedReason: string;
}

const noRepair: RepairNumbers = {
  waitingChunks: 0,
  activeChunks: 0,
  bytesPerSecond: 0,
  remainingMs: 0,
  stoppedReason: "",
};

const noBalance: BalanceNumbers = {
  plannedMoves: 0,
  activeMoves: 0,
  doneMoves: 0,
  bytesPerSecond: 0,
  remainingMs: 0,
  spreadPerMille: 0,
  stoppedReason: "",
};

/** What the controller of copies last saw, for those who show it. Only the leader's is of use. */
export class RepairProgress {
  #repair = noRepair;
  #balance = noBalance;
  #drains: ReadonlyMap<number, DrainNumbers> = new Map();
  #copyBytesPerSecond = 0;

  get(): RepairNumbers {
    return this.#repair;
  }

  set(numbers: RepairNumbers): void {
    this.#repair = numbers;
  }

  balance(): BalanceNumbers {
    return this.#balance;
  }

  setBalance(numbers: BalanceNumbers): void {
    this.#balance = numbers;
  }

  /** Of a node that is draining or drained. */
  drainOf(nodeId: number): DrainNumbers | undefined {
    return this.#drains.get(nodeId);
  }

  setDrains(drains: readonly DrainNumbers[]): void {
    this.#drains = new Map(drains.map((drain) => [drain.nodeId, drain]));
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
    this.#repair = noRepair;
    this.#balance = noBalance;
    this.#drains = new Map();
    this.#copyBytesPerSecond = 0;
  }
}
