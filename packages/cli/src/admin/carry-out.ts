import { randomBytes } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { HoldfastError } from "@holdfast/base";
import type { ChangeFleetResponse } from "@holdfast/proto/drive/v1/drive";
import { FleetCommandSchema, type PredictRequestSchema, type PredictResponse } from "@holdfast/proto/fleet/v1/fleet";
import type { GetClusterStatusResponse } from "@holdfast/proto/master/v1/master";
import type { CommandContext } from "../command.ts";
import { exitCodes, ExitSignal, UsageError } from "../exit-code.ts";
import type { Session } from "../session.ts";
import { withRetries } from "../transfer/retry.ts";
import { isLossy, predictionText } from "./prediction.ts";

/** A command of the fleet, as the generated types take it. */
export type FleetOrder = NonNullable<MessageInitShape<typeof FleetCommandSchema>["command"]>;

/** What is asked before something is done. */
export interface Consent {
  readonly question: NonNullable<MessageInitShape<typeof PredictRequestSchema>["question"]>;
  /** "drain node-2": ends "Would you really ...?". */
  readonly deed: string;
  /** Do not ask. */
  readonly isYes: boolean;
}

/**
 * Shows the predicted effect on standard error, then asks on a terminal. Without a terminal it goes on, unless data
 * would be lost and nobody said `--yes`.
 * Errors: `precondition` (it would be refused), `UsageError` (nobody can be asked), `ExitSignal` (the answer was no).
 */
export async function requireConsent(
  session: Session,
  { question, deed, isYes }: Consent,
  world: { readonly context: CommandContext; readonly status: GetClusterStatusResponse },
): Promise<PredictResponse> {
  const { output, terminal, signal } = world.context;
  const prediction = await withRetries(() => session.fleet.predict({ question }, { signal }), signal);
  output.note(predictionText(prediction, world.status));
  if (prediction.refusal !== "") throw new HoldfastError("precondition", prediction.refusal);
  if (isYes) return prediction;
  if (!terminal.isInteractive) {
    if (!isLossy(prediction)) return prediction;
    throw new UsageError(
      `To ${deed} would leave files without a readable copy, and there is no terminal to ask on. Nothing was changed; say --yes if it is meant.`,
    );
  }
  const answer = await terminal.ask(`Really ${deed}? [y/N] `);
  if (/^y(es)?$/i.test(answer.trim())) return prediction;
  throw new ExitSignal(exitCodes.other, "Nothing was changed.");
}

/** Carries a command out once, however often the connection breaks. Errors: those of the command. */
export async function order(
  session: Session,
  command: FleetOrder,
  { signal }: Pick<CommandContext, "signal">,
): Promise<ChangeFleetResponse> {
  const requestId = randomBytes(16).toString("hex");
  const fleetCommand = create(FleetCommandSchema, { command });
  return withRetries(() => session.admin.changeFleet({ requestId, command: fleetCommand }, { signal }), signal);
}
