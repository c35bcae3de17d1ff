import type { RaftConfig, RaftPorts, RaftStanding, StateMachine } from "../api.ts";
import { emptyMembership, type SnapshotMeta } from "../core/entries.ts";
import type { RaftCore } from "../core/raft-core.ts";
import type { LogIndex, Term } from "../core/types.ts";
import type { LogBoot, LogStore } from "../log-store/log-store.ts";
import type { Transport } from "../transport/transport.ts";
import type { NodeMetrics } from "./node-metrics.ts";
import type { RaftSettings } from "./settings.ts";

/** What a node is made of; see `openRaftNode`. */
export interface RaftNodeParts {
  readonly config: RaftConfig;
  readonly settings: RaftSettings;
  readonly ports: RaftPorts;
  readonly createCore: (boot: LogBoot, appliedIndex: LogIndex) => RaftCore;
  readonly store: LogStore;
  readonly transport: Transport;
  readonly stateMachine: StateMachine;
  readonly metrics: NodeMetrics;
  /** Of the log's directory, 32 hex digits. */
  readonly incarnation: string;
  /** Where the node begins. */
  readonly standing: RaftStanding;
  /** What a founding member begins with. */
  readonly founding: SnapshotMeta;
  /** Whether the log's directory is still where it was. */
  readonly isDirectoryThere: () => Promise<boolean>;
  /** The next start is to set this directory aside and join anew. */
  readonly orderRenewal: () => Promise<void>;
}

/** What a node that joins begins with: it takes nothing but a snapshot. */
export const joiningStart: SnapshotMeta = { index: 0 as LogIndex, term: 0 as Term, membership: emptyMembership };
