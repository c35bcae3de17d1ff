import { assert } from "@holdfast/base";

/** A stretch of entries that one record holds, or a part of them. */
export interface LogRun {
  readonly firstIndex: number;
  /** Last entry of the record that still counts; later ones were replaced. */
  readonly lastIndex: number;
  readonly segment: number;
  /** Where the record begins. */
  readonly offset: number;
  /** The record's bytes, header and padding included. */
  readonly bytes: number;
}

/** Which record holds which entry, as of now: runs in ascending order, without gaps but where entries are missing. */
export class LogMap {
  #runs: LogRun[] = [];

  /** Last entry, or undefined when there is none. */
  get lastIndex(): number | undefined {
    return this.#runs.at(-1)?.lastIndex;
  }

  /** First entry, or undefined when there is none. */
  get firstIndex(): number | undefined {
    return this.#runs[0]?.firstIndex;
  }

  /** The oldest segment that is still needed for an entry. Repaired entries live in a later one than their neighbours. */
  get firstSegment(): number | undefined {
    return this.#runs.reduce<number | undefined>(
      (least, { segment }) => Math.min(least ?? segment, segment),
      undefined,
    );
  }

  /** Adds a record's entries; they replace all from their first index on. */
  append(run: LogRun): void {
    this.cutFrom(run.firstIndex);
    this.#runs.push(run);
  }

  /** Adds entries that were missing; nothing else changes. */
  fill(run: LogRun): void {
    const position = this.#runs.findIndex(({ firstIndex }) => firstIndex > run.lastIndex);
    this.#runs.splice(position === -1 ? this.#runs.length : position, 0, run);
  }

  /** Forgets `index` and all after it. */
  cutFrom(index: number): void {
    while ((this.#runs.at(-1)?.firstIndex ?? -1) >= index) this.#runs.pop();
    const last = this.#runs.at(-1);
    if (last !== undefined && last.lastIndex >= index)
      this.#runs[this.#runs.length - 1] = { ...last, lastIndex: index - 1 };
  }

  /** Forgets all up to `index`; a record that also holds later entries stays. */
  cutThrough(index: number): void {
    let keep = 0;
    while ((this.#runs[keep]?.lastIndex ?? Infinity) <= index) keep++;
    if (keep > 0) this.#runs = this.#runs.slice(keep);
  }

  /** Forgets everything. */
  clear(): void {
    this.#runs = [];
  }

  /** The run that holds `index`. */
  find(index: number): LogRun | undefined {
    let low = 0;
    let high = this.#runs.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const run = this.#runs[middle];
      assert(run !== undefined, "a binary search stays inside");
      if (run.lastIndex < index) low = middle + 1;
      else if (run.firstIndex > index) high = middle - 1;
      else return run;
    }
    return undefined;
  }
}
