import type { DataDirectories } from "./data-directories.ts";

const fileName = "term.json";

/**
 * The highest term a master has shown this node, durable in `term.json`. It fences deposed leaders: nothing of a lower
 * term is obeyed, not even after a restart.
 */
export class HighestTerm {
  readonly #directories: DataDirectories;
  #term: number;
  #saving: Promise<void> = Promise.resolve();

  constructor(directories: DataDirectories, term: number) {
    this.#directories = directories;
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
      const save = (): Promise<void> => this.#directories.write(fileName, content);
      this.#saving = this.#saving.then(save, save);
    }
    await this.#saving;
    return term >= this.#term;
  }
}

/** Reads what was seen before: the highest of all directories. Missing everywhere counts as term 0. Errors: those of the disk, SyntaxError. */
export async function openHighestTerm(directories: DataDirectories): Promise<HighestTerm> {
  const terms = (await directories.read(fileName)).map(({ text }) => termFrom(text));
  return new HighestTerm(directories, Math.max(0, ...terms));
}

function termFrom(text: string): number {
  const value: unknown = JSON.parse(text);
  const term = typeof value === "object" && value !== null && "term" in value ? Number(value.term) : Number.NaN;
  if (!Number.isSafeInteger(term) || term < 0) throw new SyntaxError("term.json holds no term");
  return term;
}
