import { HoldfastError, isHoldfastError, toHex } from "@holdfast/base";
import type { Gateway, RequestScope } from "@holdfast/gateway";
import type { SeededRandom, SimProcess } from "@holdfast/runtime/sim";

/** A gateway that runs (or is paused) at this moment. */
export interface GatewayAccess {
  readonly process: SimProcess;
  readonly gateway: Gateway;
}

/** The gateways that can be called now. */
export type Gateways = () => readonly GatewayAccess[];

/** What a caller is made of. */
export interface PatientCallerParts {
  /** The caller's own process, for its timers. */
  readonly process: SimProcess;
  readonly random: SeededRandom;
  readonly gateways: Gateways;
  readonly report: (violation: string) => void;
}

/** What a wish came to in the end. */
export type Outcome<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "refused"; readonly error: HoldfastError };

type Attempt<T> = Outcome<T> | { readonly kind: "again" };

const attemptTimeoutMs = 4_000;
const retryDelayMs = 100;

/** Repeats one wish under one request id, through any gateway, until it is answered. */
export class PatientCaller {
  readonly #parts: PatientCallerParts;
  #attemptCount = 0;

  constructor(parts: PatientCallerParts) {
    this.#parts = parts;
  }

  /** Repeats until there is an answer. What the world does to a call is met by trying again; a refusal is an answer. */
  async call<T>(work: (gateway: Gateway, scope: RequestScope) => Promise<T>): Promise<Outcome<T>> {
    const requestId = toHex(this.#parts.random.bytes(16));
    for (;;) {
      const attempt = await this.#attempt(work, requestId);
      if (attempt.kind !== "again") return attempt;
      await this.#parts.process.timers.sleep(retryDelayMs);
    }
  }

  /** One try with a deadline: a gateway that dies answers nothing at all. */
  #attempt<T>(work: (gateway: Gateway, scope: RequestScope) => Promise<T>, requestId: string): Promise<Attempt<T>> {
    const gateways = this.#parts.gateways();
    const access = gateways[this.#attemptCount++ % Math.max(1, gateways.length)];
    if (access === undefined) return Promise.resolve({ kind: "again" });
    return new Promise((resolve) => {
      const controller = new AbortController();
      const timer = this.#parts.process.timers.after(attemptTimeoutMs, () => {
        access.process.enter(() => controller.abort());
        resolve({ kind: "again" });
      });
      const settle = (attempt: Attempt<T>): void => {
        timer.cancel();
        resolve(attempt);
      };
      access.process.enter(() => {
        work(access.gateway, { requestId, signal: controller.signal }).then(
          (value) => settle({ kind: "done", value }),
          (error: unknown) => settle(this.#judge(error)),
        );
      });
    });
  }

  #judge(error: unknown): { readonly kind: "refused"; readonly error: HoldfastError } | { readonly kind: "again" } {
    if (isHoldfastError(error, "unavailable", "notLeader", "tooBusy", "deadline", "cancelled", "noSpace", "dataLoss"))
      return { kind: "again" };
    if (error instanceof HoldfastError) return { kind: "refused", error };
    this.#parts.report(
      `a bug came out of a gateway: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return { kind: "again" };
  }
}
