import type { Metrics } from "@holdfast/observability";
import type { RaftStatus } from "../api.ts";

const secondsBounds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

/** A node's metrics; names are kept when the code moves. */
export class NodeMetrics {
  readonly #gauges: Readonly<
    Record<
      "term" | "isLeader" | "commitIndex" | "appliedIndex" | "logEntries" | "openProposals",
      ReturnType<Metrics["gauge"]>
    >
  >;
  readonly #syncSeconds: ReturnType<Metrics["histogram"]>;
  readonly #syncBytes: ReturnType<Metrics["histogram"]>;
  readonly #stalls: ReturnType<Metrics["counter"]>;

  constructor(metrics: Metrics) {
    const gauge = (name: string, help: string): ReturnType<Metrics["gauge"]> =>
      metrics.gauge({ name: `holdfast_raft_${name}`, help });
    this.#gauges = {
      term: gauge("term", "Current term."),
      isLeader: gauge("is_leader", "1 while this node leads."),
      commitIndex: gauge("commit_index", "Last entry known to be committed."),
      appliedIndex: gauge("applied_index", "Last entry applied here."),
      logEntries: gauge("log_entries", "Entries in the log, compacted ones not counted."),
      openProposals: gauge("open_proposals", "Proposals that wait for their outcome."),
    };
    this.#syncSeconds = metrics.histogram(
      { name: "holdfast_raft_sync_seconds", help: "One write and sync of the log." },
      secondsBounds,
    );
    this.#syncBytes = metrics.histogram(
      { name: "holdfast_raft_sync_bytes", help: "Bytes covered by one sync of the log." },
      [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304],
    );
    this.#stalls = metrics.counter({ name: "holdfast_raft_loop_stalls_total", help: "Ticks that came too late." });
  }

  /** Where the node stands; called every tick. */
  show(status: RaftStatus, openProposals: number): void {
    this.#gauges.term.set(status.term);
    this.#gauges.isLeader.set(status.role === "leader" ? 1 : 0);
    this.#gauges.commitIndex.set(status.commitIndex);
    this.#gauges.appliedIndex.set(status.appliedIndex);
    this.#gauges.logEntries.set(status.lastIndex - status.firstIndex + 1);
    this.#gauges.openProposals.set(openProposals);
  }

  /** One sync of the log. */
  synced(sync: { readonly durationMs: number; readonly bytes: number }): void {
    this.#syncSeconds.observe(sync.durationMs / 1000);
    this.#syncBytes.observe(sync.bytes);
  }

  /** A tick came too late. */
  stalled(): void {
    this.#stalls.add();
  }
}
