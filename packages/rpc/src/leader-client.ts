import type { DescService } from "@bufbuild/protobuf";
import { assert, isHoldfastError, must, toHex, type HoldfastError } from "@holdfast/base";
import type { Clock, Random, Timers } from "@holdfast/runtime";
import { retryClassOf } from "./errors/code-table.ts";
import type { Network } from "./network.ts";
import type { CallOptions, ServiceClient } from "./service.ts";

/** What a leader caller needs. */
export interface LeaderCallerOptions {
  /** host:port of all masters known. */
  readonly addresses: readonly string[];
  readonly network: Network;
  readonly timers: Timers;
  readonly random: Random;
  readonly clock: Clock;
  /** The longest a single try may take before another master is asked. Default 5 s. */
  readonly tryTimeoutMs?: number;
}

/** One request to whichever master leads. */
export type LeaderCall<S extends DescService, T> = (client: ServiceClient<S>, options: CallOptions) => Promise<T>;

/** Limits of one request with all its tries. */
export interface LeaderCallOptions {
  /** Until an answer is there. Default 15 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Kept over all tries; made when absent. */
  readonly requestId?: string;
}

/** Follows the leader among the masters. */
export interface LeaderCaller {
  /**
   * Calls the leader, and again while the answer is `notLeader` (at the one it names), `unavailable`, `tooBusy` or a
   * try timed out, with growing, jittered pauses and the same request id, until the deadline. So `call` must be safe to
   * repeat: masters answer a repeated request id with the first outcome.
   * Errors: once the deadline passed the last retryable error, though a `notLeader` never hides one that says more
   * (a leader's `unavailable` names what is missing); `cancelled`; or what the leader refused with.
   */
  call<S extends DescService, T>(service: S, call: LeaderCall<S, T>, options?: LeaderCallOptions): Promise<T>;
  /** The master believed to lead; a stream is opened there. It may be wrong: the answer says so. */
  leaderAddress(): string;
  /** Tells what another answer taught: the new leader, or (undefined) that the believed one does not answer. */
  learn(leaderAddress: string | undefined): void;
}

const pauseMsMin = 20;
/** An election takes about half a second: looking again much later than this would double it for the caller. */
const pauseMsMax = 120;

/** Makes a leader caller. It starts with the first address. */
export function createLeaderCaller(options: LeaderCallerOptions): LeaderCaller {
  assert(options.addresses.length > 0, "there is a master to ask");
  const believed = new BelievedLeader(options.addresses);
  return {
    leaderAddress: () => believed.address,
    learn: (leaderAddress) => believed.learn(leaderAddress),
    call: (service, call, limits = {}) => callLeader({ options, believed, service, call, limits }),
  };
}

/** Which master to ask next: the one last named, else around the list. */
class BelievedLeader {
  readonly #addresses: readonly string[];
  #position = 0;
  #hint: string | undefined;

  constructor(addresses: readonly string[]) {
    this.#addresses = addresses;
  }

  get address(): string {
    return this.#hint ?? must(this.#addresses[this.#position], "the position is inside the list");
  }

  learn(leaderAddress: string | undefined): void {
    const isNews = leaderAddress !== undefined && leaderAddress !== this.address;
    // Two masters that name each other must not keep us from asking the third.
    if (!isNews) this.#position = (this.#position + 1) % this.#addresses.length;
    this.#hint = isNews ? leaderAddress : undefined;
  }
}

interface LeaderRequest<S extends DescService, T> {
  readonly options: LeaderCallerOptions;
  readonly believed: BelievedLeader;
  readonly service: S;
  readonly call: LeaderCall<S, T>;
  readonly limits: LeaderCallOptions;
}

async function callLeader<S extends DescService, T>({
  options,
  believed,
  service,
  call,
  limits,
}: LeaderRequest<S, T>): Promise<T> {
  const { clock, network, random, timers } = options;
  const deadlineMs = clock.monotonicMs() + (limits.timeoutMs ?? 15_000);
  const requestId = limits.requestId ?? toHex(random.bytes(16));
  const signal = limits.signal === undefined ? {} : { signal: limits.signal };
  let telling: HoldfastError | undefined;
  for (let tries = 0; ; tries++) {
    const address = believed.address;
    const leftMs = deadlineMs - clock.monotonicMs();
    try {
      const timeoutMs = Math.max(1, Math.min(leftMs, options.tryTimeoutMs ?? 5_000));
      return await call(network.client(service, address), { requestId, timeoutMs, ...signal });
    } catch (error) {
      if (!isRetryable(error) || limits.signal?.aborted === true) throw error;
      if (telling === undefined || error.kind !== "notLeader") telling = error;
      const hint = error.leaderAddress;
      // Another caller may have learned meanwhile; then its knowledge is the newer one.
      if (believed.address === address && error.kind !== "tooBusy") believed.learn(hint);
      const pauseMs = hint !== undefined && tries === 0 ? 0 : pauseOf(tries, random);
      if (clock.monotonicMs() + pauseMs >= deadlineMs) throw telling;
      if (pauseMs > 0) await timers.sleep(pauseMs, limits.signal);
    }
  }
}

function isRetryable(error: unknown): error is HoldfastError {
  if (!isHoldfastError(error)) return false;
  // `deadline` here is that of one try: the loop ends at the deadline of all.
  return error.kind === "deadline" || retryClassOf(error.kind) !== "never";
}

/** Doubles up to a limit, of which a random half to whole is waited. */
function pauseOf(tries: number, random: Random): number {
  const ceilingMs = Math.min(pauseMsMax, pauseMsMin * 2 ** tries);
  return ceilingMs * (0.5 + random.fraction() / 2);
}
