import { isHoldfastError } from "@holdfast/base";
import type { Disk } from "@holdfast/runtime";
import { writeAtomically } from "./write-atomically.ts";

/**
 * The highest term a master has shown this node, durable in `term.json`. It fences deposed leaders: nothing of a lower
 * term is obeyed, not even after a restart.
 */
export class HighestTerm {
  readonly #disk: Disk;
  readonly #path: string;
  #term: number;
  #saving: Promise<void> = Promise.resolve();

  constructor(disk: Disk, path: string, term: number) {
    this.#disk = disk;
    this.#path = path;
    this.#term = term;
  }

  get term(): number {
    return this.#term;
  }

  /** False when the term is lower than one seen before. A higher one is durable when this settles. Errors: those of the disk. */
  async observe(term: number): Promise<boolean> {
    if (term > this.#term) {
      this.#term = term;
      const content = `${JSON.stringify({ formatVersion: 1, term })}\n`;
      const save = (): Promise<void> => writeAtomically(this.#disk, this.#path, content);
      this.#saving = this.#saving.then(save, save);
    }
    await this.#saving;
    return term >= this.#term;
  }
}

/** Reads what was seen before. A file that cannot be read counts as term 0 only when it is missing. Errors: those of the disk, SyntaxError. */
export async function openHighestTerm(disk: Disk, dataDirectory: string): Promise<HighestTerm> {
  const path = `${dataDirectory}/term.json`;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(await disk.readFile(path)));
    const term = typeof value === "object" && value !== null && "term" in value ? Number(value.term) : Number.NaN;
    if (!Number.isSafeInteger(term) || term < 0) throw new SyntaxError("term.json holds no term");
    return new HighestTerm(disk, path, term);
  } catch (error) {
    if (isHoldfastError(error, "notFound")) return new HighestTerm(disk, path, 0);
    throw error;
  }
}
