import { emptyMembership, type Membership, type MemberStep } from "../../core/entries.ts";
import { changeSimply, enterJoint, leaveJoint, membersOf, type ChangedMembership } from "../../core/membership.ts";
import { refused, type Result } from "@holdfast/base";
import type { PeerId } from "../../core/types.ts";
import type { ScriptCommand } from "./datadriven.ts";
import { describeMembership } from "./describe.ts";
import { CommandError } from "./command-error.ts";
import { parseSteps } from "./parse-steps.ts";

/** The configuration and the progress of its members, changed by the commands of etcd's confchange scripts. */
export class ConfigurationEnv {
  #membership: Membership = emptyMembership;
  readonly #next = new Map<PeerId, number>();
  /** Counts commands: the last index of the log that the scripts pretend. */
  #lastIndex = 0;

  /** Runs one command; the configuration after it, or why it was refused. */
  run(command: ScriptCommand): string {
    const lastIndex = this.#lastIndex++;
    let steps: readonly MemberStep[];
    try {
      steps = parseSteps(command.input);
    } catch (thrown) {
      if (thrown instanceof CommandError) return thrown.message;
      throw thrown;
    }
    const changed = this.#change(command, steps);
    if (changed === undefined) return "unknown command";
    if (!changed.ok) return changed.error;
    this.#membership = changed.value.membership;
    this.#track(changed.value, lastIndex);
    return this.#describe();
  }

  #change(command: ScriptCommand, steps: readonly MemberStep[]): Result<ChangedMembership, string> | undefined {
    switch (command.name) {
      case "simple":
        return changeSimply(this.#membership, steps);
      case "enter-joint": {
        const autoLeave = command.args.find((argument) => argument.key === "autoleave")?.values[0] === "true";
        return enterJoint(this.#membership, { steps, autoLeave });
      }
      case "leave-joint":
        if (steps.length > 0) return refused("this command takes no input");
        return leaveJoint(this.#membership);
      default:
        return undefined;
    }
  }

  #track(changed: ChangedMembership, lastIndex: number): void {
    const members = membersOf(changed.membership);
    for (const id of [...this.#next.keys()]) if (!members.includes(id)) this.#next.delete(id);
    for (const id of members) {
      if (!this.#next.has(id) || changed.newcomers.includes(id)) this.#next.set(id, Math.max(lastIndex, 1));
    }
  }

  #describe(): string {
    const lines = membersOf(this.#membership).map((id) => {
      const learner = this.#membership.learners.includes(id) ? " learner" : "";
      return `${id}: StateProbe match=0 next=${this.#next.get(id) ?? 0}${learner}`;
    });
    return [describeMembership(this.#membership), ...lines].join("\n");
  }
}
