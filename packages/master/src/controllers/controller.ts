import { isHoldfastError } from "@holdfast/base";
import type { Logger } from "@holdfast/observability";
import type { Timer, Timers } from "@holdfast/runtime";

/** Background work of the leader: observe -> plan -> submit, again and again. A step that finds nothing does nothing. */
export interface Controller {
  readonly name: string;
  /** Pause between the end of a step and the next. */
  readonly intervalMs: number;
  /**
   * One step. Whatever it submits is decided anew against the tables of that moment, so a step may rest on an older look.
   * `isLeading` turns false in the middle when leadership goes; long steps ask it between batches.
   */
  readonly step: (isLeading: () => boolean) => Promise<void>;
}

/** What the runner works with. */
export interface ControllerRunnerOptions {
  readonly controllers: readonly Controller[];
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Runs controllers while this master leads; each one at its own pace, never twice at once. */
export class ControllerRunner {
  readonly #options: ControllerRunnerOptions;
  #leadership: { isOver: boolean; readonly timers: Set<Timer> } | undefined;
  readonly #running = new Set<Promise<void>>();

  constructor(options: ControllerRunnerOptions) {
    this.#options = options;
  }

  /** Leadership began. Each controller takes its first step at once. */
  start(): void {
    this.stop();
    const leadership = { isOver: false, timers: new Set<Timer>() };
    this.#leadership = leadership;
    for (const controller of this.#options.controllers) this.#schedule(controller, leadership, 0);
  }

  /** Leadership is over: no further steps. Idempotent. */
  stop(): void {
    if (this.#leadership === undefined) return;
    this.#leadership.isOver = true;
    for (const timer of this.#leadership.timers) timer.cancel();
    this.#leadership = undefined;
  }

  /** Resolves when no step is under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #schedule(
    controller: Controller,
    leadership: { isOver: boolean; readonly timers: Set<Timer> },
    delayMs: number,
  ): void {
    if (leadership.isOver) return;
    const timer = this.#options.timers.after(delayMs, () => {
      leadership.timers.delete(timer);
      const running = this.#step(controller, () => !leadership.isOver).finally(() => {
        this.#running.delete(running);
        this.#schedule(controller, leadership, controller.intervalMs);
      });
      this.#running.add(running);
    });
    leadership.timers.add(timer);
  }

  /** Refusals (no longer leader, too busy) are for the next step; anything else is a bug and ends the process. */
  async #step(controller: Controller, isLeading: () => boolean): Promise<void> {
    try {
      await controller.step(isLeading);
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      this.#options.logger.info("controller.step_failed", {
        controller: controller.name,
        kind: error.kind,
        message: error.message,
      });
    }
  }
}
