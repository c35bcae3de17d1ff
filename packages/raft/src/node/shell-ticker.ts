import type { RaftEvent, RaftStatus } from "../api.ts";
import type { Input } from "../core/input.ts";
import type { RaftView } from "../core/raft-core.ts";
import type { RaftNodeParts } from "./raft-node-parts.ts";
import type { ShellOrgans } from "./shell-organs.ts";

/** What a tick needs of the shell. */
export interface ShellTickerOptions {
  readonly parts: RaftNodeParts;
  readonly organs: ShellOrgans;
  readonly view: () => RaftView;
  readonly status: () => RaftStatus;
  readonly openProposals: () => number;
  readonly enqueue: (input: Input) => void;
  readonly emit: (event: RaftEvent) => void;
}

/** What happens at every tick, besides the core's own. */
export class ShellTicker {
  readonly #options: ShellTickerOptions;

  constructor(options: ShellTickerOptions) {
    this.#options = options;
  }

  /** Time passed. */
  tick(): void {
    const { parts, organs, enqueue } = this.#options;
    const { ports, settings, metrics, transport, incarnation } = parts;
    const nowMs = ports.clock.monotonicMs();
    const lateMs = this.#noticeStall(nowMs);
    if (organs.standing.tick()) transport.hello();
    if (organs.standing.standing === "undecided") return;
    const view = this.#options.view();
    // A leader that did not run for so long counts as one with a stalled disk: all its followers' silence is due now.
    const isZombie = lateMs > settings.diskSlowMs && view.role === "leader";
    for (let count = isZombie ? 2 * settings.electionTicksMin : 1; count > 0; count--) enqueue({ kind: "tick" });
    organs.compactor.observe(view);
    organs.keeper.saw(view.id, incarnation, nowMs);
    organs.keeper.look(view, nowMs);
    metrics.show(this.#options.status(), this.#options.openProposals());
  }

  /** Shortens the log and gives things back, now and then. */
  tidy(): void {
    const { compactor, sender } = this.#options.organs;
    compactor.check();
    sender.tidy();
  }

  #noticeStall(nowMs: number): number {
    const { parts, organs, emit } = this.#options;
    const lateMs = organs.stallWatch.tick(nowMs);
    if (lateMs === undefined) return 0;
    parts.metrics.stalled();
    parts.ports.logger.warn("raft.loop_stalled", { lateMs: Math.round(lateMs) });
    emit({ kind: "loopStalled", lateMs });
    return lateMs;
  }
}
