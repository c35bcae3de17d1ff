import { refusedStep, type Model } from "./model.ts";

/** What a register can be asked. Values are text; undefined: nothing was written yet. */
export type RegisterInput =
  | { readonly kind: "read" }
  | { readonly kind: "write"; readonly value: string }
  /** Compare and set: writes `value` if the present one is `expected`. */
  | { readonly kind: "cas"; readonly expected: string | undefined; readonly value: string };

/** What it answers. */
export type RegisterOutput =
  | { readonly kind: "value"; readonly value: string | undefined }
  | { readonly kind: "written" }
  /** The compare of a `cas` failed. */
  | { readonly kind: "mismatch" };

/** One value that is read, written, and compared-and-set; empty at first. */
export const registerModel: Model<string | undefined, RegisterInput, RegisterOutput> = {
  initial: undefined,
  step: (state, input, output) => {
    switch (input.kind) {
      case "read":
        return output === undefined || (output.kind === "value" && output.value === state) ? state : refusedStep;
      case "write":
        return output === undefined || output.kind === "written" ? input.value : refusedStep;
      case "cas": {
        const fits = state === input.expected;
        if (output !== undefined && (output.kind === "written") !== fits) return refusedStep;
        return fits ? input.value : state;
      }
    }
  },
  keyOf: (state) => (state === undefined ? "" : `=${state}`),
  isReadOnly: (input) => input.kind === "read",
  describe: (input, output) => `${describeInput(input)} -> ${describeOutput(output)}`,
};

function describeInput(input: RegisterInput): string {
  switch (input.kind) {
    case "read":
      return "read";
    case "write":
      return `write ${input.value}`;
    case "cas":
      return `cas ${input.expected ?? "nothing"} to ${input.value}`;
  }
}

function describeOutput(output: RegisterOutput | undefined): string {
  if (output === undefined) return "unknown";
  return output.kind === "value" ? (output.value ?? "nothing") : output.kind;
}
