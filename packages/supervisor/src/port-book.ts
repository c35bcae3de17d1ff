import { readFile } from "node:fs/promises";
import { choosePorts } from "./ports.ts";
import { writeFileDurably } from "./write-file-durably.ts";

/** Where and how ports are chosen. */
export interface PortBookOptions {
  /** Ports from here upwards; undefined: whatever is free. */
  readonly basePort?: number | undefined;
  /** Addresses on which they have to be free. Default loopback. */
  readonly hosts?: readonly string[];
  /** Never given: somebody will listen on them, even though nobody does now. */
  readonly reserved?: readonly number[];
}

/** Which inner port belongs to which name, kept in `run/ports.json` so that a later start finds the same ones. */
export class PortBook {
  readonly #file: string;
  readonly #options: PortBookOptions;
  readonly #previous: Readonly<Record<string, number>>;
  #given: Readonly<Record<string, number>> = {};

  constructor(file: string, options: PortBookOptions, previous: Readonly<Record<string, number>>) {
    this.#file = file;
    this.#options = options;
    this.#previous = previous;
  }

  /** Ports for these names that are free now: those they had before where possible. Errors: precondition. */
  async take(names: readonly string[]): Promise<Readonly<Record<string, number>>> {
    const others = Object.entries(this.#given).filter(([name]) => !names.includes(name));
    const chosen = await choosePorts(names, {
      previous: { ...this.#previous, ...this.#given },
      basePort: this.#options.basePort,
      hosts: this.#options.hosts ?? ["127.0.0.1"],
      taken: [...others.map(([, port]) => port), ...(this.#options.reserved ?? [])],
    });
    this.#given = { ...this.#given, ...chosen };
    await writeFileDurably(this.#file, JSON.stringify({ ...this.#previous, ...this.#given }, undefined, 2));
    return chosen;
  }
}

/** Reads what was given before; a missing or damaged file only means other ports. */
export async function openPortBook(file: string, options: PortBookOptions = {}): Promise<PortBook> {
  return new PortBook(file, options, await readPrevious(file));
}

async function readPrevious(file: string): Promise<Readonly<Record<string, number>>> {
  try {
    const value: unknown = JSON.parse(await readFile(file, "utf8"));
    if (typeof value !== "object" || value === null) return {};
    return Object.fromEntries(
      Object.entries(value).filter(([, port]) => Number.isInteger(port) && port > 0 && port < 65_536),
    );
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}
