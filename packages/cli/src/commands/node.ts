import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { decodeJoinToken, errorKinds, HoldfastError } from "@holdfast/base";
import type { Command } from "../command.ts";
import { UsageError } from "../exit-code.ts";
import type { Output } from "../output.ts";

const chunkserverScript = path.resolve(import.meta.dirname, "../../../chunkserver/src/main.ts");
/** As the supervisor of `npm start` runs chunkservers; packages/supervisor/src/cluster.ts says why. */
const nodeFlags = ["--external-memory-accounted-in-global-limit", "--initial-heap-size=256"];
const threadPoolSize = "8";
/** npm and the launcher may each pass on the same Ctrl+C; only a later signal means impatience. */
const repeatedSignalMs = 2_000;

const textRule = { type: "string" } as const;
const rules = {
  join: textRule,
  data: { type: "string", multiple: true },
  name: textRule,
  listen: textRule,
  advertise: textRule,
  zone: textRule,
  rack: textRule,
  "capacity-bytes": textRule,
  masters: textRule,
  preset: textRule,
  "health-port": textRule,
  json: { type: "boolean" },
} as const;
/** Flags that the chunkserver knows by the same name. */
const passedOn = [
  ...(["name", "listen", "advertise", "zone", "rack"] as const),
  ...(["capacity-bytes", "masters", "preset", "health-port"] as const),
];

export const nodeStart: Command = {
  usage: "node start --data DIR [--join TOKEN] [--name N] [--listen H:P] [--advertise H:P] [--zone Z] [--rack R]",
  summary: "run a chunkserver on this machine until Ctrl+C; --data again for each further disk",
  async run(words, { output }) {
    const { parameters, environment } = chunkserverCall(words);
    const child = spawn(process.execPath, [...nodeFlags, chunkserverScript, ...parameters], {
      stdio: ["ignore", "ignore", "pipe"],
      // Its own process group: Ctrl+C in the terminal must reach it once, from here.
      detached: true,
      env: {
        ...inherited(),
        ...environment,
        UV_THREADPOOL_SIZE: threadPoolSize,
        HOLDFAST_PARENT_PID: String(process.pid),
      },
    });
    passOnSignals(child);
    const failure = await follow(child, output);
    if (failure !== undefined) throw failure;
    output.line("Stopped. Everything that was acknowledged is safe on disk.");
  },
};

/** What the chunkserver is told, from the words of the command line. Errors: `UsageError`. */
export function chunkserverCall(words: readonly string[]): {
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
} {
  const values = parsedWords(words);
  const [data, ...moreData] = (values.data ?? []).flatMap((each) => each.split(",")).filter((each) => each !== "");
  if (data === undefined)
    throw new UsageError(`Say where the node keeps its chunks: --data DIR\nusage: holdfast ${nodeStart.usage}`);
  const join = values.join ?? process.env["HOLDFAST_JOIN"] ?? "";
  const token = join === "" ? undefined : decodeJoinToken(join);
  if (token?.ok === false) throw new UsageError(`${token.error} Nothing was changed.`);
  const parameters = ["--data", path.resolve(data), "--exit-on-refusal"];
  if (moreData.length > 0) parameters.push("--more-data", moreData.map((each) => path.resolve(each)).join(","));
  for (const flag of passedOn) if (values[flag] !== undefined) parameters.push(`--${flag}=${values[flag]}`);
  // Not as a flag: everybody on the machine can read the flags of a process.
  return { parameters, environment: join === "" ? {} : { HOLDFAST_JOIN: join } };
}

function parsedWords(words: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof rules }>>["values"] {
  try {
    return parseArgs({ args: [...words], options: rules, allowPositionals: false, strict: true }).values;
  } catch (error) {
    throw new UsageError(
      `${error instanceof Error ? error.message : String(error)}\nusage: holdfast ${nodeStart.usage}`,
    );
  }
}

/** The settings of this command line (HOLDFAST_SERVER, HOLDFAST_DATA ...) mean something else to a chunkserver. */
function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("HOLDFAST_")));
}

function passOnSignals(child: ChildProcess): void {
  let firstAtMs: number | undefined;
  const onSignal = (): void => {
    const nowMs = performance.now();
    const isFirst = firstAtMs === undefined;
    firstAtMs ??= nowMs;
    if (isFirst) child.kill("SIGTERM");
    else if (nowMs - firstAtMs > repeatedSignalMs) child.kill("SIGKILL");
  };
  // The command line's own answer to Ctrl+C is to end at once; here the node stops first.
  process.removeAllListeners("SIGINT");
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
}

/** Says in words what the node logs, until it ends; the error it ended with, if any. */
async function follow(child: ChildProcess, output: Output): Promise<HoldfastError | undefined> {
  let failure: HoldfastError | undefined;
  if (child.stderr === null) throw new HoldfastError("internal", "The node's log cannot be read.");
  const ended = once(child, "exit") as Promise<[code: number | null, signal: string | null]>;
  for await (const line of createInterface({ input: child.stderr })) {
    const entry = logEntryFrom(line);
    if (output.isJson) output.record(entry ?? { event: "text", text: line });
    if (entry === undefined) continue;
    failure = failureFrom(entry) ?? failure;
    const sentence = sentenceOf(entry);
    if (sentence !== undefined) output.line(sentence);
  }
  const [code, signal] = await ended;
  if (code === 0) return undefined;
  const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
  return (
    failure ?? new HoldfastError("internal", `The node ended (${how}). Everything that was acknowledged is on disk.`)
  );
}

/** One line of the chunkserver's log. */
export type LogEntry = Readonly<Record<string, string | number | boolean | undefined>>;

function logEntryFrom(line: string): LogEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as LogEntry) : undefined;
  } catch {
    return undefined;
  }
}

function failureFrom(entry: LogEntry): HoldfastError | undefined {
  const kind = errorKinds.find((each) => each === entry["kind"]) ?? "internal";
  if (entry["event"] === "process.failed" || entry["event"] === "process.uncaught")
    return new HoldfastError(kind, String(entry["message"]));
  if (entry["event"] === "chunkserver.refused") return new HoldfastError(kind, String(entry["reason"]));
  return undefined;
}

/** What a person wants to read of it; undefined = nothing. */
export function sentenceOf(entry: LogEntry): string | undefined {
  const text = (name: string): string => String(entry[name] ?? "");
  switch (entry["event"]) {
    case "chunkserver.started":
      return `Serving on ${text("address")}; ${text("chunkCount")} chunks are here. Ctrl+C stops it.`;
    case "chunkserver.joined":
      return `Joined cluster ${text("clusterId")} as ${text("name")} (node ${text("nodeId")}).`;
    case "chunkserver.leader_found":
      return `The leading master at ${text("address")} knows this node.`;
    case "chunkserver.leader_lost":
      return "The leading master cannot be reached; looking for it.";
    case "chunkserver.disk_failed":
      return `The disk of ${text("directory")} failed: ${text("reason")}`;
    case "drill.started":
      return `A failure drill began (${text("kind")}, ${text("remainingMs")} ms).`;
    case "drill.ended":
      return `The failure drill ended (${text("kind")}).`;
    default:
      return undefined;
  }
}
