import { readFile } from "node:fs/promises";
import { choosePorts } from "./ports.ts";
import { writeFileDurably } from "./write-file-durably.ts";

/** Which inner port belongs to which name, kept in `run/ports.json` so that a later start finds the same ones. */
export class PortBook {
  readonly #file: string;
  readonly #basePort: number | undefined;
  readonly #previous: Readonly<Record<string, number>>;
  readonly #hosts: readonly string[];
  #given: Readonly<Record<string, number>> = {};

  constructor(
    file: string,
    basePort: number | undefined,
    known: { readonly previous: Readonly<Record<string, number>>; readonly hosts: readonly string[] },
  ) {
    const { previous, hosts } = known;
    this.#file = file;
    this.#hosts = hosts;
    this.#basePort = basePort;
    this.#previous = previous;
  }

  /** Ports for these names that are free now: those they had before where possible. Errors: precondition. */
  async take(names: readonly string[]): Promise<Readonly<Record<string, number>>> {
    const others = Object.entries(this.#given).filter(([name]) => !names.includes(name));
    const chosen = await choosePorts(names, {
      previous: { ...this.#previous, ...this.#given },
      basePort: this.#basePort,
      hosts: this.#hosts,
      taken: others.map(([, port]) => port),
    });
    this.#given = { ...this.#given, ...chosen };
    await writeFileDurably(this.#file, JSON.stringify({ ...this.#previous, ...this.#given }, undefined, 2));
    return chosen;
  }
}

/** Reads what was given before; a missing or damaged file only means other ports. */
export async function openPortBook(
  file: string,
  basePort: number | undefined,
  hosts: readonly string[] = ["127.0.0.1"],
): Promise<PortBook> {
  return new PortBook(file, basePort, { previous: await readPrevious(file), hosts });
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
