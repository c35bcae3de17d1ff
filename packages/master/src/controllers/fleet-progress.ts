import type { FleetProgress } from "../services/fleet-query/get-fleet.ts";

const nothing = {
  plannedMoves: 0n,
  activeMoves: 0n,
  doneMoves: 0n,
  bytesPerSecond: 0n,
  remainingMs: 0n,
  spreadPerMille: 0,
  stoppedReason: "",
} as const;

/** What draining and balancing last saw, for those who show it; each of both sets its own. Only the leader's is of use. */
export class FleetProgressBoard implements FleetProgress {
  #balance: ReturnType<FleetProgress["balance"]> = nothing;
  #drains: ReadonlyMap<number, NonNullable<ReturnType<FleetProgress["drain"]>>> = new Map();

  readonly drain: FleetProgress["drain"] = (nodeId) => this.#drains.get(nodeId);
  readonly balance: FleetProgress["balance"] = () => this.#balance;

  setBalance(balance: ReturnType<FleetProgress["balance"]>): void {
    this.#balance = balance;
  }

  /** A new leadership knows nothing yet. */
  reset(): void {
    this.#balance = nothing;
    this.#drains = new Map();
  }

  setDrains(drains: ReadonlyMap<number, NonNullable<ReturnType<FleetProgress["drain"]>>>): void {
    this.#drains = drains;
  }
}
