/** What `step` answers when the operation cannot have had this outcome in this state. */
export const refusedStep: unique symbol = Symbol("refused");

/**
 * A sequential object: what its operations answer when they come one after the other. Pure; states are never mutated.
 */
export interface Model<State, Input, Output> {
  readonly initial: State;
  /**
   * The state after this operation, or `refusedStep` when it cannot have answered `output` here. `output` undefined: the
   * outcome is unknown and every answer fits; then the step is the one that happens if it happens.
   */
  step(state: State, input: Input, output: Output | undefined): State | typeof refusedStep;
  /** Equal exactly for equal states. */
  keyOf(state: State): string;
  /** Never changes any state, whatever the state is. */
  isReadOnly(input: Input): boolean;
  /** For people: `write 3 -> done`. */
  describe(input: Input, output: Output | undefined): string;
}
