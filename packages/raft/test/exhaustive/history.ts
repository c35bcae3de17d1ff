import type { LocalNode } from "./local-node.ts";

/** What must be remembered of a run to judge it: who led which term, and what was ever committed. */
export interface RunHistory {
  readonly key: string;
  /** By term. */
  readonly leaders: readonly (number | undefined)[];
  /** Entry names in log order. */
  readonly committed: readonly string[];
}

/** Nothing happened. */
export const emptyHistory: RunHistory = { key: "|", leaders: [], committed: [] };

/** The history once this node is in this state, or in words which promise that breaks. */
export function advanceHistory(history: RunHistory, node: LocalNode): RunHistory | string {
  const { view } = node;
  let { leaders, committed } = history;
  if (view.role === "leader") {
    const known = leaders[view.term];
    if (known !== undefined && known !== view.id)
      return `election safety: ${known} and ${view.id} lead term ${view.term}`;
    if (known === undefined) {
      const more = [...leaders];
      more[view.term] = view.id;
      leaders = more;
    }
  }
  const own = node.log.slice(0, view.commitIndex);
  const shared = Math.min(own.length, committed.length);
  for (let place = 0; place < shared; place++) {
    if (own[place] === committed[place]) continue;
    return `state machine safety: ${view.id} commits ${own[place]} where ${committed[place]} was committed`;
  }
  if (own.length > committed.length) committed = own;
  if (leaders === history.leaders && committed === history.committed) return history;
  return { key: `${leaders.join()}|${committed.join()}`, leaders, committed };
}

/** Log matching (§3.5): logs that agree in one entry agree in all before it. True: they do. */
export function areMatching(left: LocalNode, right: LocalNode): boolean {
  let mustAgree = false;
  for (let place = Math.min(left.log.length, right.log.length) - 1; place >= 0; place--) {
    const isSame = left.log[place] === right.log[place];
    if (mustAgree && !isSame) return false;
    if (isSame || left.terms[place] === right.terms[place]) mustAgree = true;
    if (mustAgree && !isSame) return false;
  }
  return true;
}

/** Whether a majority has the first `count` committed entries on its disks. */
export function isOnMajority(nodes: readonly LocalNode[], committed: readonly string[]): boolean {
  const having = nodes.filter((node) => committed.every((name, place) => node.durableLog[place] === name));
  return having.length * 2 > nodes.length;
}
