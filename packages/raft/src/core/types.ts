import type { Brand } from "@holdfast/base";

/** A member of the group: a small positive integer, fixed for life. 0 means nobody. */
export type PeerId = Brand<number, "PeerId">;
/** Raft dissertation §3.3: a period with at most one leader. Starts at 0. */
export type Term = Brand<number, "Term">;
/** Position in the log; the first entry has 1. */
export type LogIndex = Brand<number, "LogIndex">;

/** Nobody: no vote, no leader. */
export const nobody = 0 as PeerId;

/** A uniform number in [0, 1), seeded by the host. */
export type Random = () => number;
