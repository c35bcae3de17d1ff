import type { Metrics } from "@holdfast/observability";
import type { RaftEvent, RaftStatus } from "../api.ts";

const secondsBounds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

/** A node's metrics; names are kept when the code moves. */
export class NodeMetrics {
  readonly #gauges: Readonly<
    Record<
      | "term"
      | "isLeader"
      | "commitIndex"
      | "appliedIndex"
      | "logEntries"
      | "openProposals"
      | "snapshotIndex"
      | "snapshotPercent"
      | "isVoter"
      | "missingEntries",
      ReturnType<Metrics["gauge"]>
    >
  >;
  readonly #syncSeconds: ReturnType<Metrics["histogram"]>;
  readonly #syncBytes: ReturnType<Metrics["histogram"]>;
  readonly #repaired: ReturnType<Metrics["counter"]>;
  readonly #stalls: ReturnType<Metrics["counter"]>;
  readonly #events = new Map<string, ReturnType<Metrics["counter"]>>();
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    const gauge = (name: string, help: string): ReturnType<Metrics["gauge"]> =>
      metrics.gauge({ name: `holdfast_raft_${name}`, help });
    this.#metrics = metrics;
    this.#gauges = {
      term: gauge("term", "Current term."),
      isLeader: gauge("is_leader", "1 while this node leads."),
      commitIndex: gauge("commit_index", "Last entry known to be committed."),
      appliedIndex: gauge("applied_index", "Last entry applied here."),
      logEntries: gauge("log_entries", "Entries in the log, compacted ones not counted."),
      snapshotIndex: gauge("snapshot_index", "The log up to here lives in the state machine only."),
      snapshotPercent: gauge(
        "snapshot_percent",
        "How much of a snapshot on its way to this node is here; 100: none is.",
      ),
      isVoter: gauge("is_voter", "1 while this node has a vote, as it knows."),
      missingEntries: gauge("missing_entries", "Entries that the disk lost and the leader has not given back yet."),
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
    this.#repaired = metrics.counter({
      name: "holdfast_raft_repaired_entries_total",
      help: "Entries that the disk had lost and the leader gave back.",
    });
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
    this.#gauges.snapshotIndex.set(status.snapshotIndex);
    this.#gauges.snapshotPercent.set(status.incoming?.percent ?? 100);
    this.#gauges.missingEntries.set(status.missingEntries);
    this.#gauges.isVoter.set(status.voters.includes(status.id) ? 1 : 0);
  }

  /** One sync of the log. */
  synced(sync: { readonly durationMs: number; readonly bytes: number }): void {
    this.#syncSeconds.observe(sync.durationMs / 1000);
    this.#syncBytes.observe(sync.bytes);
  }

  /** Something happened; counted by kind. */
  count(kind: RaftEvent["kind"]): void {
    let counter = this.#events.get(kind);
    if (counter === undefined) {
      const help = "What happened in this node, by kind of event.";
      counter = this.#metrics.counter({ name: "holdfast_raft_events_total", help, labels: { kind } });
      this.#events.set(kind, counter);
    }
    counter.add();
  }

  /** The log is whole again; so many entries were given back. */
  repaired(entries: number): void {
    this.#repaired.add(entries);
  }

  /** A tick came too late. */
  stalled(): void {
    this.#stalls.add();
  }
}
