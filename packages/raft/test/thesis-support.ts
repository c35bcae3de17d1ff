import type { Config } from "../src/core/config.ts";
import type { Entry } from "../src/core/entries.ts";
import type { LogIndex, PeerId, Term } from "../src/core/types.ts";
import type { TestCluster } from "../src/testing/cluster.ts";
import type { TestNode } from "../src/testing/test-node.ts";

/** Elections begin without asking first, as in chapter 3. */
export const withoutPreVote = (base: Config): Config => ({ ...base, switches: { ...base.switches, preVote: false } });

/** What the state machine was given, as text. */
export function texts(node: TestNode): string[] {
  return node.applied.flatMap(({ payload }) =>
    payload.kind === "application" ? [String.fromCharCode(...payload.data)] : [],
  );
}

/** An entry that holds nothing. */
export function entry(term: number, index: number): Entry {
  return { term: term as Term, index: index as LogIndex, payload: { kind: "empty" } };
}

/** Puts a log on a node's disk as if it had been written before, and starts it anew. */
export function giveLog(node: TestNode, terms: readonly number[], hardTerm: number): void {
  node.crash();
  node.disk.entries = terms.map((term, place) => entry(term, place + 1));
  node.disk.hardState = { term: hardTerm as Term, vote: 0 as PeerId, commit: 0 as LogIndex };
  node.start();
}

/** Terms of the log on the disk. */
export function termsOf(node: TestNode): number[] {
  return node.disk.entries.map(({ term }) => term);
}

/** Cuts these off from the others, but not from one another. */
export function isolate(cluster: TestCluster, ...ids: number[]): void {
  const isInside = (id: number): boolean => ids.includes(id);
  cluster.isOpen = (message) => isInside(message.from) === isInside(message.to);
}

/** All links work. */
export function heal(cluster: TestCluster): void {
  cluster.isOpen = () => true;
}
