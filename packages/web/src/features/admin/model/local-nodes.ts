import type { ClusterNode } from "./cluster.ts";

/** A chunkserver's process on the machine of npm start. */
export interface LocalNode {
  /** On this machine; a node that took another one's place has that one's name in the cluster. */
  readonly name: string;
  /** "running", "stopped", "restarting". */
  readonly state: string;
  /** Who it is in the cluster; 0 before it joined. */
  readonly nodeId: number;
}

/** A process that somebody may want to start or to end by itself. */
export interface IdleProcess {
  readonly name: string;
  /** As the cluster calls its node; the process's own name before it joined. */
  readonly nodeName: string;
  /** It was stopped, or its node was removed and it asks in vain to be let in. */
  readonly kind: "stopped" | "removed";
}

/** The name of a node's running process on this machine; undefined when there is none. */
export function runningProcessOf(processes: readonly LocalNode[] | undefined, nodeId: number): string | undefined {
  return processes?.find((process) => process.nodeId === nodeId && process.state !== "stopped")?.name;
}

/** Those that were stopped, and those that run although their node was removed. One that is both is of no use to anybody. */
export function idleProcesses(
  processes: readonly LocalNode[] | undefined,
  nodes: readonly Pick<ClusterNode, "nodeId" | "name">[],
): readonly IdleProcess[] {
  const newestId = Math.max(0, ...nodes.map(({ nodeId }) => nodeId));
  return (processes ?? []).flatMap(({ name, state, nodeId }): readonly IdleProcess[] => {
    const node = nodes.find((candidate) => candidate.nodeId === nodeId);
    // Ids only grow: a newer one has joined a moment ago, and the cluster's status is about to say so.
    const isRemoved = node === undefined && nodeId > 0 && nodeId < newestId;
    if (state === "stopped") return isRemoved ? [] : [{ name, nodeName: node?.name ?? name, kind: "stopped" }];
    return isRemoved ? [{ name, nodeName: name, kind: "removed" }] : [];
  });
}
