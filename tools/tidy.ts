import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

/** A broken rule: where, and what to do instead. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** Who may import whom among `packages/` (ARCHITECTURE.md, "Arrows"). */
const arrows: Readonly<Record<string, readonly string[]>> = {
  base: [],
  proto: [],
  runtime: ["base"],
  observability: ["base", "runtime"],
  rpc: ["base", "proto", "runtime", "observability"],
  trust: ["base", "proto", "runtime", "observability", "rpc"],
  raft: ["base", "proto", "runtime", "observability", "rpc"],
  master: ["base", "proto", "runtime", "observability", "rpc", "raft", "trust"],
  chunkserver: ["base", "proto", "runtime", "observability", "rpc", "trust"],
  client: ["base", "proto", "runtime", "observability", "rpc"],
  gateway: ["base", "proto", "runtime", "observability", "rpc", "client", "trust"],
  web: ["base", "proto"],
  cli: ["base", "proto", "runtime"],
  supervisor: ["base", "proto", "runtime", "observability", "rpc", "trust"],
};

/** Folders in which decisions live: no time, no chance, no waiting. */
const isPure = (file: string): boolean =>
  /^packages\/[^/]+\/src\/(.*\/)?(core|domain)\//.test(file) ||
  /\/(plan|policy)\.ts$/.test(file) ||
  file.startsWith("packages/base/");

/** Places that may touch the machine; everything else goes through ports. */
const mayTouchMachine = (file: string): boolean =>
  /^(tools|tests|bench)\//.test(file) ||
  /\/src\/(testing|sim)\//.test(file) ||
  /^packages\/(cli|supervisor|web)\//.test(file) ||
  /\/(node|http)\//.test(file.replace("packages/raft/src/node/", "packages/raft/src/shell/")) ||
  file.endsWith("/main.ts") ||
  /\.(io|process|sim|browser)\.test\.ts$/.test(file);

interface BannedText {
  readonly pattern: RegExp;
  readonly message: string;
  readonly appliesTo: (file: string) => boolean;
}

const isTest = (file: string): boolean =>
  /\.(test|contract)\.tsx?$/.test(file) || file.includes("/test/") || file.startsWith("tests/");
const isTool = (file: string): boolean => file.startsWith("tools/");
const needsPorts = (file: string): boolean => !mayTouchMachine(file) && !isTest(file);

const bannedTexts: readonly BannedText[] = [
  { pattern: /\bDate\.now\(|\bnew Date\(\)/, message: "read time through the Clock port", appliesTo: needsPorts },
  { pattern: /\bMath\.random\(/, message: "draw from the Random port", appliesTo: needsPorts },
  { pattern: /\b(setTimeout|setInterval|setImmediate)\(/, message: "use the Timers port", appliesTo: needsPorts },
  { pattern: /\bAbortSignal\.timeout\(/, message: "use the Timers port and an AbortController", appliesTo: needsPorts },
  {
    pattern: /\bAbortSignal\.any\(/,
    message: "use linkAbort: Node never forgets a signal of any",
    appliesTo: needsPorts,
  },
  {
    pattern: /\bprocess\.env\b/,
    message: "settings come from the config table, parsed once in main.ts",
    appliesTo: needsPorts,
  },
  {
    pattern: /from "node:(fs|net|http|https|http2|os|dgram|child_process|worker_threads|timers)/,
    message: "I/O lives behind ports",
    appliesTo: needsPorts,
  },
  {
    pattern: /\b(async|await)\b/,
    message: "decisions are synchronous",
    appliesTo: (file) => isPure(file) && !isTest(file) && !/base\/src\/(async-queue|index)\.ts$/.test(file),
  },
  { pattern: /\b(TODO|FIXME|XXX)\b/, message: "open an issue instead", appliesTo: (file) => !isTool(file) },
  { pattern: /\b(it|test|describe)\.(only|todo)\(/, message: "no test is left out", appliesTo: isTest },
  { pattern: /@ts-(ignore|nocheck)/, message: "mend the type", appliesTo: (file) => !isTool(file) },
  {
    pattern: /catch\s*(\([^)]*\))?\s*\{\s*\}/,
    message: "an error is handled, or the reason why not is written down",
    appliesTo: (file) => !isTool(file),
  },
  {
    pattern: /\.\.\/shared\//,
    message: "the project stands without ../shared",
    appliesTo: (file) => !isTool(file) && !file.startsWith("packages/raft/src/testing/"),
  },
];

const bannedNames = /(^|[-/])(utils?|helpers?|common|misc|manager)(\.|\/|-)/;
const fileLinesMax = 400;
/** Files over the limit, with their number; entries may only shrink or go. */
const longFiles: Readonly<Record<string, number>> = {};

/** Every file of the project that the rules look at, relative to `root`. */
export function projectFiles(root: string): readonly string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!["node_modules", ".git", "dist", "gen", "data", "testdata", "coverage", "shots"].includes(entry.name))
          visit(name);
      } else if (/\.(ts|tsx|mjs|md|css)$/.test(entry.name)) found.push(name);
    }
  };
  visit("");
  return found.sort();
}

/** All findings in one source file. */
export function checkSource(file: string, text: string): readonly Finding[] {
  const findings: Finding[] = [];
  const lines = text.split("\n");
  const limit = longFiles[file] ?? fileLinesMax;
  if (lines.length > limit)
    findings.push({
      file,
      line: lines.length,
      message: `${lines.length} lines; the limit is ${limit}: split it by concept`,
    });
  if (bannedNames.test(file))
    findings.push({
      file,
      line: 1,
      message: "name it after what it does, not utils, helpers, common, misc or manager",
    });
  lines.forEach((line, index) => {
    const code = line.replace(/^\s*(\*|\/\/|\/\*).*$/, "");
    for (const banned of bannedTexts) {
      const isAboutComments = banned.pattern.source.includes("TODO");
      if (banned.appliesTo(file) && banned.pattern.test(isAboutComments ? line : code))
        findings.push({ file, line: index + 1, message: banned.message });
    }
    const arrow = checkArrow(file, code);
    if (arrow !== undefined) findings.push({ file, line: index + 1, message: arrow });
  });
  return [...findings, ...checkDocstrings(file, lines)];
}

function checkArrow(file: string, line: string): string | undefined {
  const from = /^packages\/([^/]+)\//.exec(file)?.[1];
  const to = /from "@holdfast\/([^/"]+)/.exec(line)?.[1];
  if (from === undefined || to === undefined || from === to || isTest(file)) return undefined;
  if (arrows[from]?.includes(to) === true) return undefined;
  return `${from} may not import ${to}; they meet in proto/ (arrows in tools/tidy.ts)`;
}

/** Plain types that mirror messages whose every field is documented in proto/. */
const mirrorsOfProto: ReadonlySet<string> = new Set([
  "packages/master/src/domain/events.ts",
  "packages/master/src/domain/commands.ts",
]);

/** Exported functions, classes, interfaces, types and constants say what they are. */
function checkDocstrings(file: string, lines: readonly string[]): readonly Finding[] {
  if (!file.startsWith("packages/") || isTest(file) || file.startsWith("packages/web/") || file.endsWith("index.ts"))
    return [];
  if (mirrorsOfProto.has(file)) return [];
  const findings: Finding[] = [];
  lines.forEach((line, index) => {
    const match = /^export (?:async )?(?:abstract )?(?:function\*?|class|interface|type|const) (\w+)/.exec(line);
    if (match === null) return;
    const before = (lines[index - 1] ?? "").trim();
    const isOverload = /^export (async )?function/.test(before);
    const isCommand = /export const \w+: Command = \{/.test(line);
    if (!before.endsWith("*/") && !isOverload && !isCommand)
      findings.push({ file, line: index + 1, message: `${match[1] ?? "this"} is exported and has no docstring` });
  });
  return findings;
}

/** Links and paths in a document that lead nowhere. */
export function checkDocument(root: string, file: string, text: string): readonly Finding[] {
  const findings: Finding[] = [];
  text.split("\n").forEach((line, index) => {
    for (const [, target = ""] of line.matchAll(/\]\((?!https?:|#|mailto:)([^)\s#]+)(?:#[^)]*)?\)/g)) {
      if (!existsSync(path.resolve(root, path.dirname(file), target)))
        findings.push({ file, line: index + 1, message: `the link to ${target} leads nowhere` });
    }
    for (const [, target = ""] of line.matchAll(/`((?:packages|tests|tools|docs|bench|proto|compose)\/[\w./-]+)`/g)) {
      if (!existsSync(path.join(root, target)))
        findings.push({ file, line: index + 1, message: `there is no ${target}` });
    }
  });
  return findings;
}

/** Packages that do not say what they are. */
export function checkPackages(root: string): readonly Finding[] {
  const findings: Finding[] = [];
  for (const name of readdirSync(path.join(root, "packages"))) {
    const folder = `packages/${name}`;
    if (!statSync(path.join(root, folder)).isDirectory()) continue;
    if (!existsSync(path.join(root, folder, "README.md")) && !existsSync(path.join(root, folder, "DESIGN.md"))) {
      findings.push({ file: folder, line: 1, message: "has neither README.md nor DESIGN.md" });
    }
    if (arrows[name] === undefined)
      findings.push({ file: folder, line: 1, message: "is not in the table of arrows in tools/tidy.ts" });
  }
  return findings;
}

/** Everything, over the whole project. */
export function checkProject(root: string): readonly Finding[] {
  const findings: Finding[] = [...checkPackages(root)];
  for (const file of projectFiles(root)) {
    const text = readFileSync(path.join(root, file), "utf8");
    findings.push(...(file.endsWith(".md") ? checkDocument(root, file, text) : checkSource(file, text)));
  }
  return findings;
}
