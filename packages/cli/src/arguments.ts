import { parseArgs } from "node:util";
import { UsageError } from "./exit-code.ts";

/** One option of a command. */
export interface OptionRule {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** May be given more than once. */
  readonly multiple?: boolean;
}

/** A command line taken apart. */
export interface Parsed {
  readonly positionals: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
}

/** Takes a command's words apart. Errors: `UsageError` in words for what is unknown, missing or too much. */
export function parseWords(
  words: readonly string[],
  rules: Readonly<Record<string, OptionRule>>,
  count: { readonly min: number; readonly max: number; readonly usage: string },
): Parsed {
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({
      args: [...words],
      options: { json: { type: "boolean" }, ...rules },
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\nusage: holdfast ${count.usage}`);
  }
  const { positionals, values } = parsed;
  if (positionals.length < count.min || positionals.length > count.max)
    throw new UsageError(`usage: holdfast ${count.usage}`);
  return {
    positionals,
    flag: (name) => values[name] === true,
    text: (name) => {
      const value = values[name];
      return typeof value === "string" ? value : undefined;
    },
  };
}

/** "60s", "5m", "1500ms" or plain seconds, in ms. */
export function parseDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  if (match === null) throw new UsageError(`"${text}" is not a duration; give one such as 60s.`);
  const factor = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match[2] ?? "s"] ?? 1_000;
  return Number(match[1]) * factor;
}
