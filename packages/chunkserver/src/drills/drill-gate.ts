import { HoldfastError } from "@holdfast/base";
import type { Timer, Timers } from "@holdfast/runtime";

/** "stopped": calls fail at once, as if the process were gone. "partitioned": packets are lost, callers wait. */
export type GateMode = "open" | "stopped" | "partitioned";

/** What every call of this node passes in both directions. */
export class DrillGate {
  readonly #calls = new Set<GatedCall>();
  readonly #onOpen: (() => void)[] = [];
  #mode: GateMode = "open";

  get mode(): GateMode {
    return this.#mode;
  }

  /** Changes at once what happens to calls in progress and to later ones. */
  set(mode: GateMode): void {
    if (mode === this.#mode) return;
    this.#mode = mode;
    if (mode === "stopped") for (const call of [...this.#calls]) call.cut(gone());
    if (mode !== "partitioned") for (const callback of this.#onOpen.splice(0)) callback();
  }

  /** Calls back when no partition holds packets back any more; at once when there is none. */
  whenThrough(callback: () => void): void {
    if (this.#mode === "partitioned") this.#onOpen.push(callback);
    else callback();
  }

  /** A call begins; its `end` must be called. */
  begin(
    limits: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number | undefined },
    timers: Timers,
  ): GatedCall {
    const call = new GatedCall(this, limits, { timers, onEnd: () => this.#calls.delete(call) });
    this.#calls.add(call);
    return call;
  }
}

/** One call behind the gate, at either end. */
export class GatedCall {
  readonly #gate: DrillGate;
  readonly #onEnd: () => void;
  readonly #callerSignal: AbortSignal | undefined;
  readonly #inner = new AbortController();
  readonly #rejects = new Set<(error: HoldfastError) => void>();
  readonly #deadline: Timer | undefined;
  readonly #onCallerAbort = (): void => this.cut(new HoldfastError("cancelled", "The call was given up."));
  #cutWith: HoldfastError | undefined;

  constructor(
    gate: DrillGate,
    { signal, timeoutMs }: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number | undefined },
    { timers, onEnd }: { readonly timers: Timers; readonly onEnd: () => void },
  ) {
    this.#gate = gate;
    this.#onEnd = onEnd;
    this.#callerSignal = signal;
    const late = (): void => this.cut(new HoldfastError("deadline", "The call took longer than it may."));
    this.#deadline = timeoutMs === undefined ? undefined : timers.after(timeoutMs, late);
    if (signal?.aborted === true) this.#onCallerAbort();
    else signal?.addEventListener("abort", this.#onCallerAbort, { once: true });
  }

  /** Aborts when the call is over for whoever is behind the gate; during a partition that is not before it ends. */
  get signal(): AbortSignal {
    return this.#inner.signal;
  }

  /** Whether a packet may pass without waiting. */
  get mayPass(): boolean {
    return this.#gate.mode === "open";
  }

  /** Settles when a packet may pass. Errors: unavailable ("stopped"), cancelled, deadline. */
  async pass(): Promise<void> {
    while (this.#gate.mode === "partitioned") {
      await this.race(new Promise<void>((resolve) => this.#gate.whenThrough(resolve)));
    }
    if (this.#gate.mode === "stopped") throw gone();
  }

  /** The promise's outcome, or the reason why the call was cut before it settled. */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#cutWith !== undefined) reject(this.#cutWith);
      else this.#rejects.add(reject);
      promise.then(
        (value) => {
          this.#rejects.delete(reject);
          resolve(value);
        },
        (error: unknown) => {
          this.#rejects.delete(reject);
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  /** Ends the call with an error for whoever waits. */
  cut(error: HoldfastError): void {
    this.#cutWith ??= error;
    for (const reject of this.#rejects) reject(this.#cutWith);
    this.#rejects.clear();
    this.end();
  }

  /** The call is over. Idempotent. */
  end(): void {
    this.#deadline?.cancel();
    this.#callerSignal?.removeEventListener("abort", this.#onCallerAbort);
    this.#onEnd();
    this.#gate.whenThrough(() => this.#inner.abort(over));
  }
}

/** Every call ends: an error of its own, made for nobody, would cost more than the rest of its end. */
const over = new HoldfastError("cancelled", "The call is over.");

function gone(): HoldfastError {
  return new HoldfastError("unavailable", "This node does not answer: a failure drill has stopped it.");
}
