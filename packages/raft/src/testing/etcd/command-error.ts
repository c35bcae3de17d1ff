/** A refusal that a script expects to be printed. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
