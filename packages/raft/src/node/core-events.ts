import type { Logger } from "@holdfast/observability";
import type { RaftEvent } from "../api.ts";
import type { CoreEvent } from "../core/output.ts";
import type { NodeMetrics } from "./node-metrics.ts";

/** Writes a core's event to the log, and gives what subscribers are told of it, if anything. */
export function logCoreEvent(event: CoreEvent, logger: Logger, tickMs: number): RaftEvent | undefined {
  switch (event.kind) {
    case "inputDropped":
      logger.debug("raft.input_dropped", { reason: event.reason });
      return undefined;
    case "configurationChanged":
      // Told by the shell, with who belongs to the group.
      return undefined;
    case "diskStalled": {
      const sinceMs = event.ticks * tickMs;
      logger.error("raft.disk_stalled", { sinceMs });
      return { kind: "diskStalled", sinceMs };
    }
    case "diskFailed":
      // Told by the shell, with its cause.
      return undefined;
    case "logRepaired":
      logger.info("raft.log_repaired", { entries: event.entries });
      return { kind: "logRepaired", entries: event.entries };
    case "committed":
      return event;
    case "roleChanged":
      logger.info("raft.role_changed", { role: event.role, term: event.term });
      return event;
    case "leaderChanged":
      logger.info("raft.leader_changed", { leader: event.leader, term: event.term });
      return event;
    case "readyToLead":
      logger.info("raft.ready_to_lead", { term: event.term });
      return event;
  }
}

/** Counts an event, and logs what the core does not tell: the shell's own. */
export function noteEvent(
  event: RaftEvent,
  to: { readonly metrics: NodeMetrics; readonly ports: { readonly logger: Logger } },
): void {
  if (event.kind === "committed") return;
  to.metrics.count(event.kind);
  if (event.kind === "logRepaired") to.metrics.repaired(event.entries);
  const { logger } = to.ports;
  if (event.kind === "membershipChanged") {
    const { index, voters, learners } = event;
    logger.info("raft.membership_changed", { index, voters: voters.join(), learners: learners.join() });
  }
  if (event.kind === "compacted") logger.info("raft.log_compacted", { index: event.index });
  if (event.kind === "snapshotInstalled")
    logger.info("raft.snapshot_installed", { index: event.index, from: event.from });
}
