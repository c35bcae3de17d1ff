import type { Model } from "./model.ts";
import type { History, Operation } from "./operation.ts";
import { searchOrder } from "./search.ts";

/** The shortest failing beginning of one key's history, and a description of it for people. */
export function reportFailure<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: History<Input, Output>,
  stepsMax: number,
): { readonly history: History<Input, Output>; readonly report: string } {
  const isBroken = (part: History<Input, Output>): boolean =>
    searchOrder(model, part, stepsMax).kind === "notLinearizable";
  const shortest = withoutNeedlessReads(model, shortestBeginning(history, isBroken), isBroken);
  return { history: shortest, report: describe(model, shortest, stepsMax) };
}

/** Beginnings of a linearizable history are linearizable, so the first broken one is found by halving. */
function shortestBeginning<Input, Output>(
  history: History<Input, Output>,
  isBroken: (part: History<Input, Output>) => boolean,
): History<Input, Output> {
  const ends = [...new Set(history.map(({ returnAt }) => returnAt))].filter(Number.isFinite).sort((a, b) => a - b);
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBroken(beginningOf(history, ends[middle] ?? 0))) high = middle;
    else low = middle + 1;
  }
  const end = ends[low];
  return end === undefined ? history : beginningOf(history, end);
}

/** What an observer knew at this time: later answers are unknown outcomes. */
function beginningOf<Input, Output>(history: History<Input, Output>, end: number): History<Input, Output> {
  return history
    .filter(({ invokeAt }) => invokeAt <= end)
    .map((operation) =>
      operation.returnAt <= end ? operation : { ...operation, returnAt: Infinity, output: undefined },
    );
}

/** Leaving out a read never breaks a history, so what stays broken without it does not need it. */
function withoutNeedlessReads<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: History<Input, Output>,
  isBroken: (part: History<Input, Output>) => boolean,
): History<Input, Output> {
  let kept = history;
  for (const operation of history) {
    if (!model.isReadOnly(operation.input)) continue;
    const without = kept.filter((other) => other !== operation);
    if (isBroken(without)) kept = without;
  }
  return kept;
}

const linesMax = 60;

function describe<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: History<Input, Output>,
  stepsMax: number,
): string {
  const outcome = searchOrder(model, history, stepsMax);
  const longest = outcome.kind === "notLinearizable" ? outcome.longest : [];
  const position = new Map(longest.map((operation, place) => [operation, place + 1]));
  const sorted = [...history].sort((left, right) => left.invokeAt - right.invokeAt);
  const lines = sorted.map((operation) => line(model, operation, position.get(operation)));
  const shown =
    lines.length <= linesMax ? lines : [`  ... ${lines.length - linesMax} earlier`, ...lines.slice(-linesMax)];
  return [
    `key ${history[0]?.key ?? ""}: no order explains these ${history.length} operations`,
    "(the number in front is the place in the longest order that could be explained):",
    ...shown,
  ].join("\n");
}

function line<State, Input, Output>(
  model: Model<State, Input, Output>,
  operation: Operation<Input, Output>,
  place: number | undefined,
): string {
  const end = operation.returnAt === Infinity ? "?" : String(operation.returnAt);
  const time = `[${operation.invokeAt} .. ${end}]`;
  const number = place === undefined ? "-" : `#${place}`;
  return `  ${number.padStart(4)} ${operation.process} ${time} ${model.describe(operation.input, operation.output)}`;
}
