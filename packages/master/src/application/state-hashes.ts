/** Masters compare what they have come to at indexes that are multiples of this. */
const comparedIndexes = 64;
/** Of the newest ones. */
const hashesMax = 64;

/** What folding the log up to an index changed; see `nextStateHash`. */
export interface StateHashAt {
  readonly index: number;
  readonly stateHash: Uint8Array;
}

/**
 * What this master's tables came to at the newest indexes that all masters compare. In memory only: after a start it is
 * gathered anew, and nothing of before is compared.
 */
export class StateHashes {
  #hashes: StateHashAt[] = [];

  /** Between two steps: everything up to `appliedIndex` is folded, and nothing in between comes before `nextIndex`. */
  note(folded: { readonly appliedIndex: number; readonly stateHash: Uint8Array }, nextIndex: number): void {
    const index = nextIndex - 1 - ((nextIndex - 1) % comparedIndexes);
    if (index === 0 || index < folded.appliedIndex || index <= (this.#hashes.at(-1)?.index ?? 0)) return;
    this.#hashes.push({ index, stateHash: folded.stateHash });
    if (this.#hashes.length > hashesMax) this.#hashes.shift();
  }

  /** Ascending. */
  list(): readonly StateHashAt[] {
    return this.#hashes;
  }

  /** The state is another one from now on. */
  forget(): void {
    this.#hashes = [];
  }
}
