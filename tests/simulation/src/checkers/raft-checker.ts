/** What a master says of itself at one moment. */
export interface MasterView {
  readonly name: string;
  readonly isLeader: boolean;
  readonly term: number;
  readonly appliedIndex: number;
  /** Hex; over (index, key changes) up to the applied index. */
  readonly stateHash: string;
  readonly commitIndex: number;
  /** Its log and its state are of one piece; while it joins (it lost its log) an old state counts as nobody's. */
  readonly isMember: boolean;
  /** Which start of the process this is; cursors may fall back only between starts. */
  readonly startCount: number;
}

/**
 * Watches all masters: one leader a term, equal state at equal index, cursors that only grow while a process lives.
 * Source: Raft dissertation §3.2, figure 3.2 (election safety, state machine safety).
 */
export class RaftChecker {
  readonly violations: string[] = [];
  readonly #leaderByTerm = new Map<number, string>();
  readonly #hashByIndex = new Map<number, { readonly hash: string; readonly name: string }>();
  readonly #last = new Map<string, MasterView>();

  /** Called often, with every master that runs. */
  observe(view: MasterView): void {
    if (view.isLeader) this.leads(view.name, view.term);
    if (view.appliedIndex > 0) this.#checkHash(view);
    this.#checkCursors(view);
    this.#last.set(view.name, view);
  }

  /** A master became leader of a term. */
  leads(name: string, term: number): void {
    const known = this.#leaderByTerm.get(term);
    if (known === undefined) this.#leaderByTerm.set(term, name);
    else if (known !== name) this.violations.push(`term ${term} has two leaders: ${known} and ${name}`);
  }

  /** Terms in which somebody led. */
  get termCount(): number {
    return this.#leaderByTerm.size;
  }

  #checkHash(view: MasterView): void {
    const known = this.#hashByIndex.get(view.appliedIndex);
    if (known === undefined) this.#hashByIndex.set(view.appliedIndex, { hash: view.stateHash, name: view.name });
    else if (known.hash !== view.stateHash) {
      this.violations.push(`at index ${view.appliedIndex} ${view.name} has another state than ${known.name}`);
    }
  }

  #checkCursors(view: MasterView): void {
    const before = this.#last.get(view.name);
    if (before === undefined || before.startCount !== view.startCount) return;
    if (!before.isMember || !view.isMember) return;
    for (const cursor of ["term", "appliedIndex", "commitIndex"] as const) {
      if (view[cursor] < before[cursor])
        this.violations.push(`${cursor} of ${view.name} fell from ${before[cursor]} to ${view[cursor]}`);
    }
    if (view.appliedIndex > view.commitIndex)
      this.violations.push(`${view.name} applied ${view.appliedIndex} beyond its commit index ${view.commitIndex}`);
  }
}
