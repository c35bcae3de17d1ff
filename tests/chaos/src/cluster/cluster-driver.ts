/** Where a process is reached. */
export interface Endpoint {
  /** IP address of its host, as the others see it. */
  readonly host: string;
  readonly port: number;
  readonly healthPort: number;
}

/** One process of the cluster, ready to be started again and again. */
export interface ProcessPlan {
  /** "master-1", "node-3", "gateway-2". */
  readonly name: string;
  /** Flags of Node, script (relative to the repository) and parameters. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Folders of this machine it needs, at the same absolute path. */
  readonly folders: readonly string[];
  readonly logPath: string;
}

export type ProcessSignal = "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT" | "SIGUSR2";

/**
 * How processes are run: directly, or each in a container. A host is what a process has to itself: an address, and a
 * network in which rules can be set.
 */
export interface ClusterDriver {
  readonly kind: "process" | "container";
  endpoint(name: string): Endpoint;
  /** Why the network between hosts cannot be cut on this machine; undefined = it can. */
  readonly cutMissing: string | undefined;
  /** Starts a process that is not running. `onExit` is called once when it ends, for whatever reason. */
  launch(plan: ProcessPlan, onExit: (how: string) => void): Promise<void>;
  /** To a running process; stopped and continued processes are frozen as a whole. */
  signal(name: string, signal: ProcessSignal): Promise<void>;
  /** Runs a program of this machine inside the network of a process's host. */
  inNetworkOf(name: string, command: readonly string[]): Promise<void>;
  /** All that a process said so far, in every one of its lives. */
  logOf(name: string): Promise<string>;
  /** Ends whatever runs and takes down what was built. */
  close(): Promise<void>;
}
