import { type Model, refusedStep } from "@holdfast/base/linearizability";

/** A file in a folder as a list shows it. */
export interface FileRow {
  readonly entryId: string;
  readonly name: string;
  readonly sha256: string;
}

/** What clients do in one folder. Entries are named by id, as at the edge, so that a rename and a delete may cross. */
export type FolderInput =
  | { readonly kind: "put"; readonly name: string; readonly sha256: string }
  | { readonly kind: "rename"; readonly entryId: string; readonly name: string }
  /** Into the trash; only what is not there yet. */
  | { readonly kind: "trash"; readonly entryId: string }
  /** For ever; also what is in the trash. */
  | { readonly kind: "purge"; readonly entryId: string }
  | { readonly kind: "list" };

/** How it ended. */
export type FolderOutput =
  | { readonly kind: "stored"; readonly entryId: string }
  | { readonly kind: "done" }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "rows"; readonly rows: readonly FileRow[] };

/** By name; what is in the trash by a name that no file can have. The id of a file whose storing was never answered is empty. */
export type FolderState = ReadonlyMap<string, { readonly entryId: string; readonly sha256: string }>;

/** A folder of files, empty at first: what it may answer, one operation after the other. */
export const folderModel: Model<FolderState, FolderInput, FolderOutput> = {
  initial: new Map(),
  step: (state, input, output) => {
    switch (input.kind) {
      case "put":
        return stepPut(state, input, output);
      case "rename":
        return stepRename(state, input, output);
      case "trash":
        return stepTrash(state, input.entryId, output);
      case "purge":
        return stepPurge(state, input.entryId, output);
      case "list":
        return output === undefined || showsState(state, output) ? state : refusedStep;
    }
  },
  keyOf: (state) =>
    [...state]
      .map(([name, { entryId, sha256 }]) => `${name}=${entryId}:${sha256}`)
      .sort()
      .join(),
  isReadOnly: (input) => input.kind === "list",
  describe: (input, output) => `${describeInput(input)} -> ${describeOutput(output)}`,
};

type Step = FolderState | typeof refusedStep;

function stepPut(
  state: FolderState,
  input: FolderInput & { readonly kind: "put" },
  output: FolderOutput | undefined,
): Step {
  const existing = state.get(input.name);
  if (output === undefined)
    return new Map(state).set(input.name, { entryId: existing?.entryId ?? "", sha256: input.sha256 });
  if (output.kind !== "stored") return refusedStep;
  const isSameFile =
    existing === undefined ? nameOf(state, output.entryId) === undefined : isId(existing, output.entryId);
  return isSameFile ? new Map(state).set(input.name, { entryId: output.entryId, sha256: input.sha256 }) : refusedStep;
}

function stepRename(
  state: FolderState,
  input: FolderInput & { readonly kind: "rename" },
  output: FolderOutput | undefined,
): Step {
  const from = nameOf(state, input.entryId);
  const isTaken = from !== input.name && state.has(input.name);
  const expected = from === undefined ? "notFound" : isTaken ? "nameTaken" : "done";
  if (output !== undefined && !isOutcome(output, expected)) return refusedStep;
  if (expected !== "done" || from === undefined) return state;
  const next = new Map(state);
  const file = state.get(from);
  next.delete(from);
  return file === undefined ? state : next.set(input.name, file);
}

function stepTrash(state: FolderState, entryId: string, output: FolderOutput | undefined): Step {
  const name = nameOf(state, entryId);
  if (output !== undefined && !isOutcome(output, name === undefined ? "notFound" : "done")) return refusedStep;
  return name === undefined ? state : without(state, name).set(trashKey(entryId), { entryId: "", sha256: "" });
}

function stepPurge(state: FolderState, entryId: string, output: FolderOutput | undefined): Step {
  const name = nameOf(state, entryId) ?? (state.has(trashKey(entryId)) ? trashKey(entryId) : undefined);
  if (output !== undefined && !isOutcome(output, name === undefined ? "notFound" : "done")) return refusedStep;
  return name === undefined ? state : without(state, name);
}

/** No file's name has a slash. */
function trashKey(entryId: string): string {
  return `trash/${entryId}`;
}

function without(state: FolderState, name: string): Map<string, { readonly entryId: string; readonly sha256: string }> {
  const next = new Map(state);
  next.delete(name);
  return next;
}

function showsState(state: FolderState, output: FolderOutput): boolean {
  if (output.kind !== "rows") return false;
  const liveCount = [...state.keys()].filter((name) => !name.startsWith("trash/")).length;
  if (output.rows.length !== liveCount) return false;
  return output.rows.every((row) => {
    const file = state.get(row.name);
    return file !== undefined && file.sha256 === row.sha256 && isId(file, row.entryId);
  });
}

function isId(file: { readonly entryId: string }, entryId: string): boolean {
  return file.entryId === "" || file.entryId === entryId;
}

function nameOf(state: FolderState, entryId: string): string | undefined {
  for (const [name, file] of state) if (file.entryId === entryId) return name;
  return undefined;
}

function isOutcome(output: FolderOutput, expected: string): boolean {
  return output.kind === "refused" ? output.reason === expected : output.kind === expected;
}

function describeInput(input: FolderInput): string {
  switch (input.kind) {
    case "put":
      return `put ${input.name} = ${input.sha256.slice(0, 8)}`;
    case "rename":
      return `rename ${input.entryId} to ${input.name}`;
    case "trash":
    case "purge":
      return `${input.kind} ${input.entryId}`;
    case "list":
      return "list";
  }
}

function describeOutput(output: FolderOutput | undefined): string {
  if (output === undefined) return "unknown";
  if (output.kind === "stored") return `stored as ${output.entryId}`;
  if (output.kind === "refused") return output.reason;
  if (output.kind === "done") return "done";
  return `{${output.rows.map((row) => `${row.name}=${row.entryId}:${row.sha256.slice(0, 8)}`).join(", ")}}`;
}
