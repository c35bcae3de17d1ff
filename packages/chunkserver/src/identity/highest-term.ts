import type { DataDirectories } from "./data-directories.ts";

const fileName = "term.json";

/** Always as long, so that a full disk takes the next one in its place. */
const fileBytes = 64;

/**
 * The highest term a master has shown this node, durable in `term.json`. It fences deposed leaders: nothing of a lower
 * term is obeyed, not even after a restart.
 */
export class HighestTerm {
  readonly #directories: DataDirectories;
  #term: number;
  #durableTerm: number;
  #saving: Promise<void> = Promise.resolve();

  constructor(directories: DataDirectories, term: number) {
    this.#directories = directories;
    this.#term = term;
    this.#durableTerm = term;
  }

  get term(): number {
    return this.#term;
  }

  /**
   * False when the term is lower than one seen before. A higher one is durable when this settles.
   * Errors: those of the disk; whoever asks next tries again.
   */
  async observe(term: number): Promise<boolean> {
    this.#term = Math.max(this.#term, term);
    const save = (): Promise<void> => this.#save();
    if (this.#durableTerm < this.#term) this.#saving = this.#saving.then(save, save);
    await this.#saving;
    return term >= this.#term;
  }

  async #save(): Promise<void> {
    const term = this.#term;
    if (this.#durableTerm >= term) return;
    const content = JSON.stringify({ formatVersion: 1, term });
    await this.#directories.replaceOrOverwrite(fileName, `${content.padEnd(fileBytes - 1)}\n`);
    this.#durableTerm = term;
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
