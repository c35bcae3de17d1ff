/** Observed, never ordered (architecture.md section 6). `unknown`: a new leader has not heard of it and its grace has not passed. */
export type ObservedLiveness = "unknown" | "live" | "suspect" | "dead";

/** What the leader knows of one node. */
export interface LivenessFacts {
  readonly nodeId: number;
  readonly name: string;
  /** A committed NodeDown without a NodeUp after it. */
  readonly isDown: boolean;
  /** Monotonic time of the last accepted report in this leadership; undefined = none. */
  readonly lastHeartbeatMs: number | undefined;
  readonly isStreamOpen: boolean;
}

/** When a silent node counts as what. */
export interface LivenessLimits {
  readonly suspectAfterMs: number;
  readonly deadAfterMs: number;
}

/** One look at all nodes. */
export interface LivenessView {
  readonly nowMs: number;
  /** Since when this leader could have heard; a new leader and one that was itself paused start anew. */
  readonly watchingSinceMs: number;
  readonly limits: LivenessLimits;
  readonly nodes: readonly LivenessFacts[];
}

/** What to commit. */
export interface LivenessPlan {
  readonly down: readonly { readonly nodeId: number; readonly reason: string }[];
  readonly up: readonly number[];
}

/** A node's liveness now. */
export function livenessOf(node: LivenessFacts, view: Omit<LivenessView, "nodes">): ObservedLiveness {
  const { nowMs, watchingSinceMs, limits } = view;
  const isWithinGrace = nowMs - watchingSinceMs < limits.deadAfterMs;
  if (node.lastHeartbeatMs === undefined) {
    if (node.isDown) return "dead";
    return isWithinGrace ? "unknown" : "dead";
  }
  const ageMs = nowMs - node.lastHeartbeatMs;
  if (ageMs >= limits.deadAfterMs) return isWithinGrace && !node.isDown ? "suspect" : "dead";
  if (ageMs >= limits.suspectAfterMs || !node.isStreamOpen) return "suspect";
  return "live";
}

/** Nodes whose committed state disagrees with what is observed. A suspect node changes nothing: its copies still count. */
export function planLiveness(view: LivenessView): LivenessPlan {
  const down: { nodeId: number; reason: string }[] = [];
  const up: number[] = [];
  for (const node of view.nodes) {
    const liveness = livenessOf(node, view);
    if (liveness === "dead" && !node.isDown) down.push({ nodeId: node.nodeId, reason: reasonOf(node, view) });
    if (liveness === "live" && node.isDown) up.push(node.nodeId);
  }
  return { down, up };
}

function reasonOf(node: LivenessFacts, view: LivenessView): string {
  const limitSeconds = Math.round(view.limits.deadAfterMs / 100) / 10;
  if (node.lastHeartbeatMs === undefined) return `not heard since this leader began to listen, limit ${limitSeconds} s`;
  const ageSeconds = Math.round((view.nowMs - node.lastHeartbeatMs) / 100) / 10;
  const stream = node.isStreamOpen ? "its stream is silent" : "its stream broke";
  return `no heartbeat for ${ageSeconds} s, limit ${limitSeconds} s; ${stream}`;
}
