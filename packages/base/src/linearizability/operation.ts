/**
 * One operation of a recorded history. Times are of one clock, in any unit; operations that touch (one ends when the
 * other begins) count as concurrent.
 */
export interface Operation<Input, Output> {
  /** Who asked; for the report only. */
  readonly process: string;
  /** Operations with different keys do not affect each other. */
  readonly key: string;
  readonly invokeAt: number;
  /** `Infinity`: the outcome is unknown, it may have happened at any time after `invokeAt` or never. */
  readonly returnAt: number;
  readonly input: Input;
  /** Undefined exactly when the outcome is unknown. */
  readonly output: Output | undefined;
}

/** A recorded history in any order. */
export type History<Input, Output> = readonly Operation<Input, Output>[];

/** An operation that began and has not been ended. */
export interface OpenOperation<Input> {
  readonly process: string;
  readonly key: string;
  readonly invokeAt: number;
  readonly input: Input;
}

/**
 * Collects a history. An operation that is never ended has an unknown outcome; one that surely did not happen is
 * `cancel`led and is no part of the history.
 */
export class HistoryRecorder<Input, Output> {
  readonly #open = new Set<OpenOperation<Input>>();
  readonly #closed: Operation<Input, Output>[] = [];

  /** An operation is asked for, now. */
  begin(operation: OpenOperation<Input>): OpenOperation<Input> {
    this.#open.add(operation);
    return operation;
  }

  /** It was answered. Only the first end counts. */
  end(operation: OpenOperation<Input>, output: Output, returnAt: number): void {
    if (this.#open.delete(operation)) this.#closed.push({ ...operation, output, returnAt });
  }

  /** It surely did not and will not happen. */
  cancel(operation: OpenOperation<Input>): void {
    this.#open.delete(operation);
  }

  /** Everything so far; what is open has an unknown outcome. */
  history(): History<Input, Output> {
    const unknown = [...this.#open].map((operation) => ({
      ...operation,
      output: undefined,
      returnAt: Number.POSITIVE_INFINITY,
    }));
    return [...this.#closed, ...unknown];
  }
}

/** The history by key, keys in the order in which they first appear. */
export function partition<Input, Output>(history: History<Input, Output>): ReadonlyMap<string, History<Input, Output>> {
  const parts = new Map<string, Operation<Input, Output>[]>();
  for (const operation of history) {
    const part = parts.get(operation.key);
    if (part === undefined) parts.set(operation.key, [operation]);
    else part.push(operation);
  }
  return parts;
}
