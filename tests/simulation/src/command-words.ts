import { execFileSync } from "node:child_process";

/** What was typed behind the command. */
export interface CommandWords {
  has(flag: string): boolean;
  /** Undefined: the flag is not there. */
  text(flag: string): string | undefined;
  /** Errors: RangeError, when what follows the flag is not a number. */
  number(flag: string): number | undefined;
}

/** Takes a command line apart. */
export function wordsOf(words: readonly string[]): CommandWords {
  const text = (flag: string): string | undefined => {
    const at = words.indexOf(flag);
    return at < 0 ? undefined : words[at + 1];
  };
  return {
    text,
    has: (flag) => words.includes(flag),
    number: (flag) => {
      const found = text(flag);
      if (found === undefined) return undefined;
      const value = Number(found);
      if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${flag} needs a whole number, not ${found}`);
      return value;
    },
  };
}

/** The commit that runs, for reports. */
export function commitOfTree(): string {
  try {
    const asked = execFileSync("git", ["rev-parse", "--short", "HEAD"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return asked.trim();
  } catch {
    return "an unknown commit";
  }
}
