/** One argument of a directive: `key`, `key=value` or `key=(value, value)`. */
export interface ScriptArgument {
  readonly key: string;
  readonly values: readonly string[];
}

/** One directive with its input and the output that is expected of it. */
export interface ScriptCommand {
  /** 1-based line of the directive. */
  readonly line: number;
  readonly name: string;
  readonly args: readonly ScriptArgument[];
  readonly input: string;
  readonly expected: string;
}

/**
 * Reads a script in the grammar of cockroachdb/datadriven: comment lines, a directive, input lines, `----`, expected
 * output up to a blank line, or up to a doubled `----` when it is fenced by one. Throws on a script that breaks it.
 */
export function parseScript(text: string): readonly ScriptCommand[] {
  const lines = text.split("\n");
  const commands: ScriptCommand[] = [];
  let at = 0;
  while (at < lines.length) {
    const start = at;
    let directive = (lines[at++] ?? "").trim();
    if (directive === "" || directive.startsWith("#")) continue;
    while (directive.endsWith("\\")) directive = `${directive.slice(0, -1)} ${(lines[at++] ?? "").trim()}`;
    const input: string[] = [];
    while (at < lines.length && lines[at] !== "----") input.push(lines[at++] ?? "");
    if (at >= lines.length) throw new Error(`line ${start + 1}: no ---- follows ${directive}`);
    const output = readExpected(lines, at + 1);
    at = output.next;
    const [name, args] = parseDirective(directive);
    commands.push({ line: start + 1, name, args, input: input.join("\n"), expected: output.text });
  }
  return commands;
}

function readExpected(lines: readonly string[], from: number): { readonly text: string; readonly next: number } {
  const taken: string[] = [];
  let at = from;
  if (lines[at] === "----") {
    at++;
    while (at < lines.length && !(lines[at] === "----" && lines[at + 1] === "----")) taken.push(lines[at++] ?? "");
    return { text: taken.join("\n"), next: at + 2 };
  }
  while (at < lines.length && (lines[at] ?? "").trim() !== "") taken.push(lines[at++] ?? "");
  return { text: taken.join("\n"), next: at };
}

function parseDirective(directive: string): readonly [string, readonly ScriptArgument[]] {
  const tokens = directive.match(/[^\s=()]+=\([^)]*\)|[^\s]+/g) ?? [];
  const [name, ...rest] = tokens;
  return [name ?? "", rest.map(parseArgument)];
}

function parseArgument(token: string): ScriptArgument {
  const equals = token.indexOf("=");
  if (equals < 0) return { key: token, values: [] };
  const key = token.slice(0, equals);
  const value = token.slice(equals + 1);
  if (!value.startsWith("(")) return { key, values: [value] };
  const inner = value.slice(1, -1).trim();
  return { key, values: inner === "" ? [] : inner.split(",").map((part) => part.trim()) };
}
