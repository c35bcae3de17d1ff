import { HoldfastError } from "@holdfast/base";
import type { Scheduler, SeededRandom } from "@holdfast/runtime/sim";

/** How a direction between two machines behaves. */
export interface SimLinkQuality {
  /** One-way delay, uniform, in ms. */
  readonly delayMs: readonly [min: number, max: number];
  /** Bytes per ms of virtual time that the sender's line takes; all it sends to anybody shares it. */
  readonly bytesPerMs: number;
  /** Probability per message that the connection it is on breaks, with every call on it. */
  readonly breakProbability: number;
}

/** Something that goes from one machine to another, in order with the rest of its lane. */
export interface SimLane {
  readonly source: string;
  readonly target: string;
  /** "source>target". */
  readonly direction: string;
  readonly label: string;
  /** When the newest item of this lane arrives. */
  lastArrivalMs: number;
  /** Items that a partition holds back. */
  readonly held: (() => void)[];
}

/** Makes a lane. */
export function createLane(source: string, target: string, label: string): SimLane {
  const way = direction(source, target);
  return { source, target, direction: way, label: `net ${way} ${label}`, lastArrivalMs: 0, held: [] };
}

/** All directions between machines: delay, throughput, partitions. Knows nothing of calls. */
export class SimLinks {
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  /** Since when a direction is blocked, in ms. */
  readonly #blocked = new Map<string, number>();
  readonly #qualities = new Map<string, SimLinkQuality>();
  #default: SimLinkQuality = { delayMs: [0.05, 0.5], bytesPerMs: 1_000_000, breakProbability: 0 };
  readonly #lanes = new Set<SimLane>();
  /** When a machine's line is free again. */
  readonly #lineFreeAtMs = new Map<string, number>();
  readonly #onBreak: (left: string, right: string) => void;

  constructor(scheduler: Scheduler, random: SeededRandom, onBreak: (left: string, right: string) => void) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#onBreak = onBreak;
  }

  setDefaultQuality(quality: Partial<SimLinkQuality>): void {
    this.#default = { ...this.#default, ...quality };
  }

  setQuality(source: string, target: string, quality: Partial<SimLinkQuality>): void {
    this.#qualities.set(direction(source, target), { ...this.#qualityOf(source, target), ...quality });
  }

  isBlocked(source: string, target: string): boolean {
    return this.#blocked.has(direction(source, target));
  }

  block(source: string, target: string): void {
    if (source !== target && !this.isBlocked(source, target))
      this.#blocked.set(direction(source, target), this.#scheduler.nowMs);
  }

  /** Since when a direction is blocked; undefined when it is not. */
  blockedSinceMs(source: string, target: string): number | undefined {
    return this.#blocked.get(direction(source, target));
  }

  /** Lets a direction through again; what it held back arrives one delay later, in order. */
  unblock(source: string, target: string): void {
    if (!this.#blocked.delete(direction(source, target))) return;
    for (const lane of [...this.#lanes]) {
      if (lane.source !== source || lane.target !== target) continue;
      // What is still under way queues up behind what was held, until that arrived.
      this.#scheduler.schedule(this.drawDelayMs(source, target), `resumed ${lane.label}`, () => {
        if (this.isBlocked(source, target)) return;
        this.#lanes.delete(lane);
        for (const arrive of lane.held.splice(0)) arrive();
      });
    }
  }

  /** Lets `arrive` happen at the other machine after delay and transmission, in order within the lane. */
  send(lane: SimLane, sizeBytes: number, arrive: () => void): void {
    const quality = this.#qualities.get(lane.direction) ?? this.#default;
    const nowMs = this.#scheduler.nowMs;
    const sentAtMs = Math.max(nowMs, this.#lineFreeAtMs.get(lane.source) ?? 0) + sizeBytes / quality.bytesPerMs;
    this.#lineFreeAtMs.set(lane.source, sentAtMs);
    const delayMs = sentAtMs - nowMs + this.#random.between(...quality.delayMs);
    lane.lastArrivalMs = Math.max(lane.lastArrivalMs, nowMs + delayMs);
    const isBreaking = quality.breakProbability > 0 && this.#random.chance(quality.breakProbability);
    const atOtherEnd = (): void => {
      if (this.#blocked.has(lane.direction) || lane.held.length > 0) {
        lane.held.push(arrive);
        this.#lanes.add(lane);
      } else if (isBreaking) {
        this.#onBreak(lane.source, lane.target);
      } else {
        arrive();
      }
    };
    this.#scheduler.schedule(lane.lastArrivalMs - nowMs, lane.label, atOtherEnd, sizeBytes);
  }

  /** A delay as one message would have, for things that are not on a lane. */
  drawDelayMs(source: string, target: string): number {
    return this.#random.between(...this.#qualityOf(source, target).delayMs);
  }

  #qualityOf(source: string, target: string): SimLinkQuality {
    return this.#qualities.get(direction(source, target)) ?? this.#default;
  }
}

/** The error of everything that a broken connection takes with it. */
export function brokenConnection(peer: string): HoldfastError {
  return new HoldfastError(
    "unavailable",
    `the connection to ${peer} broke; the request may or may not have been carried out`,
  );
}

function direction(source: string, target: string): string {
  return `${source}>${target}`;
}
