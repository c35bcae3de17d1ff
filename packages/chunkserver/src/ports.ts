import type { HoldfastError } from "@holdfast/base";
import type { Logger, Metrics } from "@holdfast/observability";
import type { Network } from "@holdfast/rpc";
import type { Clock, Disk, Random, Timers } from "@holdfast/runtime";

/** What others need to tell this machine apart. */
export interface HostIdentity {
  /** Address of the machine's main network interface, for people. */
  readonly ip: string;
  /** MAC address of that interface, for people. */
  readonly mac: string;
}

/** A claim on a data directory. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/** Everything a chunkserver touches. */
export interface ChunkserverPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly disk: Disk;
  readonly network: Network;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly hostIdentity: () => HostIdentity;
  /**
   * Keeps other processes out of the data directory; freed by the operating system if this process dies. Absent where
   * only one process can exist. Errors: precondition (another process holds it).
   */
  readonly lockDirectory?: (dataDirectory: string) => Promise<DirectoryLock>;
  /**
   * Gets this node a certificate before it serves anybody, where the cluster speaks TLS. Errors: `denied`, `precondition`
   * (it may not join, or not any more).
   */
  readonly enrol?: (self: { readonly nodeUuid: string; readonly masterAddresses: readonly string[] }) => Promise<void>;
  /** Told whose certificates count no longer, by uuid; all of them. */
  readonly onNodesRefused?: (nodeUuids: readonly string[]) => void;
  /** Told each time a leader refuses this node, with its reason in words. The node asks again later. */
  readonly onRefused?: (error: HoldfastError) => void;
}
