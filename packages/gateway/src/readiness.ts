import { create } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import { Intent, Liveness } from "@holdfast/proto/model/v1/model";
import { GetClusterStatusRequestSchema, type GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";
import type { Clock } from "@holdfast/runtime";
import type { Masters } from "./drive/ports.ts";

/** Whether the gateway can serve, and in words why not. */
export interface ReadinessAnswer {
  readonly isReady: boolean;
  readonly reason: string;
}

const answerKeptMs = 500;
const timeoutMs = 2000;

/** Tells load balancers and the supervisor whether signing in and storing files would work now. */
export class Readiness {
  readonly #masters: Masters;
  readonly #clock: Clock;
  #areAccountsSeeded = false;
  #answer: Promise<ReadinessAnswer> | undefined;
  #answeredAtMs = -Infinity;

  constructor(masters: Masters, clock: Clock) {
    this.#masters = masters;
    this.#clock = clock;
  }

  /** The first accounts are in place. */
  accountsSeeded(): void {
    this.#areAccountsSeeded = true;
  }

  /** Asks the leader at most twice a second, however many ask here. */
  async check(): Promise<ReadinessAnswer> {
    if (!this.#areAccountsSeeded)
      return { isReady: false, reason: "the first accounts are not in place yet: no leader has answered" };
    const nowMs = this.#clock.monotonicMs();
    if (this.#answer === undefined || nowMs - this.#answeredAtMs > answerKeptMs) {
      this.#answeredAtMs = nowMs;
      this.#answer = this.#ask();
    }
    return this.#answer;
  }

  async #ask(): Promise<ReadinessAnswer> {
    try {
      const status = await this.#masters.queries.getClusterStatus(create(GetClusterStatusRequestSchema), { timeoutMs });
      return readinessOf(status);
    } catch (thrown) {
      const reason = thrown instanceof HoldfastError ? thrown.message : "the masters did not answer";
      return { isReady: false, reason };
    }
  }
}

/** What a status says about readiness. */
export function readinessOf(status: GetClusterStatusResponse): ReadinessAnswer {
  const writable = status.nodes.filter((node) => node.liveness === Liveness.LIVE && node.intent === Intent.ACTIVE);
  const isReady = writable.length >= Math.max(1, status.writeCopiesMin);
  const reason = isReady
    ? "ready"
    : `${writable.length} chunkservers are live, ${Math.max(1, status.writeCopiesMin)} are needed for a write`;
  return { isReady, reason };
}
