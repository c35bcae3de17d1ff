import type { Network } from "@holdfast/rpc";
import type { Timers } from "@holdfast/runtime";
import type { ProjectionsStateMachine } from "../application/state-machine.ts";
import type { Leadership } from "../services/fleet/leadership.ts";
import { CommandRate } from "./command-rate.ts";
import { HistoryKeeper } from "./history-keeper.ts";
import { takeSample, type SampleOptions } from "./take-sample.ts";

/** What a master's history is made from. */
export interface HistoryOptions extends Omit<SampleOptions, "commandsPerSecond"> {
  readonly stateMachine: Pick<ProjectionsStateMachine, "onApplied">;
  readonly leadership: Leadership;
  readonly timers: Timers;
  readonly network: Network;
}

/** The history of one master; it begins with `start`. */
export function keepHistory(options: HistoryOptions): HistoryKeeper {
  const { stateMachine, leadership, timers, network, clock } = options;
  const commands = new CommandRate(clock);
  stateMachine.onApplied((batch) => commands.note(batch));
  const sample = (): ReturnType<typeof takeSample> =>
    takeSample({ ...options, commandsPerSecond: () => commands.perSecond() });
  return new HistoryKeeper({ timers, network, leadership, sample });
}
