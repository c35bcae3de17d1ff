import { refusedStep, type Model } from "./model.ts";
import type { History } from "./operation.ts";

/** What can be done with the entries of a file namespace. `content` stands for the bytes: their hash. */
export type PathInput =
  | { readonly kind: "read"; readonly path: string }
  /** Replaces what is there; with `onlyIfAbsent` refused when something is. */
  | { readonly kind: "write"; readonly path: string; readonly content: string; readonly onlyIfAbsent?: boolean }
  /** Refused when nothing is there. */
  | { readonly kind: "delete"; readonly path: string }
  /** Refused when nothing is at `from`, or something at `to` and not `replaces`. */
  | { readonly kind: "rename"; readonly from: string; readonly to: string; readonly replaces?: boolean };

/** How it ended. A read of an absent path answers `content` undefined. */
export type PathOutput =
  | { readonly kind: "done" }
  | { readonly kind: "refused" }
  | { readonly kind: "content"; readonly content: string | undefined };

/** Path to content; absent paths are not in it. */
export type PathState = ReadonlyMap<string, string>;

/** Entries of a file namespace; empty at first. Operations on connected paths need one key: see `connectPaths`. */
export const pathsModel: Model<PathState, PathInput, PathOutput> = {
  initial: new Map(),
  step: (state, input, output) => {
    if (input.kind === "read") {
      const isSeen = output === undefined || (output.kind === "content" && output.content === state.get(input.path));
      return isSeen ? state : refusedStep;
    }
    const next = change(state, input);
    if (output === undefined) return next ?? state;
    if (output.kind === "content") return refusedStep;
    return (output.kind === "done") === (next !== undefined) ? (next ?? state) : refusedStep;
  },
  keyOf: (state) => JSON.stringify([...state].sort(([left], [right]) => (left < right ? -1 : 1))),
  isReadOnly: (input) => input.kind === "read",
  describe: (input, output) => `${describeInput(input)} -> ${describeOutput(output)}`,
};

/** Undefined: refused. */
function change(state: PathState, input: Exclude<PathInput, { kind: "read" }>): PathState | undefined {
  const next = new Map(state);
  switch (input.kind) {
    case "write":
      if (input.onlyIfAbsent === true && state.has(input.path)) return undefined;
      return next.set(input.path, input.content);
    case "delete":
      return next.delete(input.path) ? next : undefined;
    case "rename": {
      const content = state.get(input.from);
      if (content === undefined || (state.has(input.to) && input.replaces !== true)) return undefined;
      next.delete(input.from);
      return next.set(input.to, content);
    }
  }
}

/** Sets the keys so that paths between which a rename was tried are checked together, and all others apart. */
export function connectPaths(history: History<PathInput, PathOutput>): History<PathInput, PathOutput> {
  const parent = new Map<string, string>();
  const rootOf = (path: string): string => {
    let root = path;
    for (let up = parent.get(root); up !== undefined; up = parent.get(root)) root = up;
    return root;
  };
  for (const { input } of history) {
    if (input.kind !== "rename") continue;
    const [from, to] = [rootOf(input.from), rootOf(input.to)];
    if (from !== to) parent.set(to, from);
  }
  return history.map((operation) => {
    const { input } = operation;
    return { ...operation, key: rootOf(input.kind === "rename" ? input.from : input.path) };
  });
}

function describeInput(input: PathInput): string {
  switch (input.kind) {
    case "read":
    case "delete":
      return `${input.kind} ${input.path}`;
    case "write":
      return `${input.onlyIfAbsent === true ? "create" : "write"} ${input.path} = ${input.content}`;
    case "rename":
      return `rename ${input.from} to ${input.to}${input.replaces === true ? " (replacing)" : ""}`;
  }
}

function describeOutput(output: PathOutput | undefined): string {
  if (output === undefined) return "unknown";
  return output.kind === "content" ? (output.content ?? "absent") : output.kind;
}
