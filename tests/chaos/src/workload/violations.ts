/** Something that must never happen, and did. */
export interface Violation {
  readonly kind: string;
  readonly detail: string;
}

/** Where violations are collected; the first of each kind are told in full. */
export class Violations {
  readonly #found: Violation[] = [];
  readonly #report: (line: string) => void;

  constructor(report: (line: string) => void) {
    this.#report = report;
  }

  add(kind: string, detail: string): void {
    this.#found.push({ kind, detail });
    if (this.#found.length <= 20) this.#report(`VIOLATION ${kind}: ${detail}`);
  }

  get all(): readonly Violation[] {
    return this.#found;
  }
}
