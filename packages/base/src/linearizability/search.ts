import { refusedStep, type Model } from "./model.ts";
import type { History, Operation } from "./operation.ts";

/** What a search through the orders of one key's history found. */
export type SearchOutcome<Input, Output> =
  | { readonly kind: "linearizable"; readonly steps: number }
  /** `longest` is the longest order that could be explained before no operation fitted any more. */
  | { readonly kind: "notLinearizable"; readonly steps: number; readonly longest: readonly Operation<Input, Output>[] }
  | { readonly kind: "undecided"; readonly steps: number };

/**
 * Searches an order in which the operations can have happened one by one, each between its call and its return: the
 * algorithm of Wing and Gong with Lowe's memory of (operations done, state). `stepsMax` bounds the model steps tried.
 *
 * Operations of unknown outcome may be left out, so orders with fewer of them are tried first, and one that got as far
 * with a part of the same ones is never tried again: a hundred unknown writes cost a hundred tries, not 2^100.
 */
export function searchOrder<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: History<Input, Output>,
  stepsMax: number,
): SearchOutcome<Input, Output> {
  return new OrderSearch(model, history, stepsMax).run();
}

/** A beginning of an order. Places are those of the sorted operations. */
interface Beginning<State> {
  readonly state: State;
  /** All known operations before this place are done. */
  readonly doneBelow: number;
  /** Known operations done beyond, ascending. */
  readonly doneBeyond: readonly number[];
  /** Unknown operations that happened, ascending. */
  readonly happened: readonly number[];
  readonly length: number;
  readonly before: Beginning<State> | undefined;
  readonly isLastKnown: boolean;
  readonly lastPlace: number;
}

class OrderSearch<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #stepsMax: number;
  /** With an outcome, by call. */
  readonly #known: History<Input, Output>;
  /** Without, by call. A read that nobody saw says nothing. */
  readonly #unknown: History<Input, Output>;
  /** Beginnings to go on from, by how many unknown operations happened in them; the newest first. */
  readonly #open: Beginning<State>[][] = [];
  /** For (known operations done, state): which unknown ones had happened. */
  readonly #seen = new Map<string, (readonly number[])[]>();
  #steps = 0;
  #longest: Beginning<State>;

  constructor(model: Model<State, Input, Output>, history: History<Input, Output>, stepsMax: number) {
    this.#model = model;
    this.#stepsMax = stepsMax;
    const sorted = [...history].sort((left, right) => left.invokeAt - right.invokeAt);
    this.#known = sorted.filter(({ returnAt }) => returnAt !== Infinity);
    this.#unknown = sorted.filter(({ returnAt, input }) => returnAt === Infinity && !model.isReadOnly(input));
    this.#longest = {
      state: model.initial,
      doneBelow: 0,
      doneBeyond: [],
      happened: [],
      length: 0,
      before: undefined,
      isLastKnown: false,
      lastPlace: 0,
    };
    this.#open.push([this.#longest]);
  }

  run(): SearchOutcome<Input, Output> {
    for (let level = 0; level < this.#open.length; level++) {
      // The farthest first: where the others got stuck is where one more may help.
      const stack = (this.#open[level] ?? []).sort((left, right) => left.length - right.length);
      for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
        if (at.doneBelow === this.#known.length) return { kind: "linearizable", steps: this.#steps };
        if (this.#steps > this.#stepsMax) return { kind: "undecided", steps: this.#steps };
        this.#goOn(at);
      }
    }
    return { kind: "notLinearizable", steps: this.#steps, longest: this.#orderOf(this.#longest) };
  }

  #goOn(at: Beginning<State>): void {
    const { candidates, firstReturn } = this.#candidates(at);
    // A read that fits now loses nothing by happening now.
    for (const place of candidates) {
      const operation = this.#known[place];
      if (operation === undefined || !this.#model.isReadOnly(operation.input)) continue;
      if (this.#tryKnown(at, place)) return;
    }
    this.#unknown.forEach((operation, place) => {
      if (operation.invokeAt <= firstReturn && !at.happened.includes(place)) this.#tryUnknown(at, place);
    });
    for (const place of candidates.reverse()) {
      const operation = this.#known[place];
      if (operation !== undefined && !this.#model.isReadOnly(operation.input)) this.#tryKnown(at, place);
    }
  }

  /** Known operations that may come next: called before any other one that is left returned. */
  #candidates(at: Beginning<State>): { readonly candidates: number[]; readonly firstReturn: number } {
    const candidates: number[] = [];
    let firstReturn = Infinity;
    for (let place = at.doneBelow; place < this.#known.length; place++) {
      const operation = this.#known[place];
      if (operation === undefined || operation.invokeAt > firstReturn) break;
      if (at.doneBeyond.includes(place)) continue;
      candidates.push(place);
      firstReturn = Math.min(firstReturn, Math.max(operation.returnAt, operation.invokeAt));
    }
    const isInTime = (place: number): boolean => (this.#known[place]?.invokeAt ?? 0) <= firstReturn;
    return { candidates: candidates.filter(isInTime), firstReturn };
  }

  #tryKnown(at: Beginning<State>, place: number): boolean {
    const state = this.#step(at, this.#known[place]);
    if (state === refusedStep) return false;
    let { doneBelow } = at;
    const doneBeyond = insert(at.doneBeyond, place);
    while (doneBeyond[0] === doneBelow) {
      doneBeyond.shift();
      doneBelow++;
    }
    const { happened } = at;
    const length = at.length + 1;
    this.#add({ state, doneBelow, doneBeyond, happened, length, before: at, isLastKnown: true, lastPlace: place });
    return true;
  }

  #tryUnknown(at: Beginning<State>, place: number): void {
    const state = this.#step(at, this.#unknown[place]);
    if (state === refusedStep) return;
    const { doneBelow, doneBeyond } = at;
    const happened = insert(at.happened, place);
    const length = at.length + 1;
    this.#add({ state, doneBelow, doneBeyond, happened, length, before: at, isLastKnown: false, lastPlace: place });
  }

  #step(at: Beginning<State>, operation: Operation<Input, Output> | undefined): State | typeof refusedStep {
    if (operation === undefined) return refusedStep;
    this.#steps++;
    return this.#model.step(at.state, operation.input, operation.output);
  }

  #add(next: Beginning<State>): void {
    const key = `${next.doneBelow}:${next.doneBeyond.join()}|${this.#model.keyOf(next.state)}`;
    const known = this.#seen.get(key);
    if (known?.some((happened) => happened.every((place) => next.happened.includes(place))) === true) return;
    if (known === undefined) this.#seen.set(key, [next.happened]);
    else known.push(next.happened);
    const level = next.happened.length;
    (this.#open[level] ??= []).push(next);
    if (next.length > this.#longest.length) this.#longest = next;
  }

  #orderOf(end: Beginning<State>): readonly Operation<Input, Output>[] {
    const order: Operation<Input, Output>[] = [];
    for (let at: Beginning<State> | undefined = end; at !== undefined; at = at.before) {
      const operation = (at.isLastKnown ? this.#known : this.#unknown)[at.lastPlace];
      if (operation !== undefined && at.before !== undefined) order.push(operation);
    }
    return order.reverse();
  }
}

/** The sorted places with one more. */
function insert(places: readonly number[], place: number): number[] {
  const at = places.findIndex((other) => other > place);
  return at < 0 ? [...places, place] : [...places.slice(0, at), place, ...places.slice(at)];
}
