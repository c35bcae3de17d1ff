import {
  checkLinearizability,
  HistoryRecorder,
  registerModel,
  type LinearizabilityVerdict,
  type OpenOperation,
  type RegisterInput,
  type RegisterOutput,
} from "@holdfast/base/linearizability";
import type { ProposeOutcome } from "../../src/api.ts";
import type { ReadMode } from "../../src/core/input.ts";
import type { SeededRandom, SimWorld } from "@holdfast/runtime/sim";
import { encodeCommand } from "./register-machine.ts";
import type { SafetyChecker } from "./safety-checker.ts";
import type { VoprMember } from "./vopr-member.ts";

/** What the clients of a run need. */
export interface ClientSurroundings {
  readonly world: SimWorld;
  readonly members: readonly VoprMember[];
  readonly checker: SafetyChecker;
  readonly keys: number;
  readonly pauseMs: number;
  /** Most reads are asked for on a lease. */
  readonly hasLeases: boolean;
  /** Followers answer reads as well. */
  readonly forwardsReads: boolean;
}

/** Gives an operation up as unknown after so long. */
const patienceMs = 3000;

/** Where reads rest on leases: else every client would wait at the old leader while the new one begins. */
const leasedPatienceMs = 250;

/** Clients that write, compare-and-set and read registers one operation after the other, and remember all of it. */
export class VoprClients {
  readonly #parts: ClientSurroundings;
  readonly #recorder = new HistoryRecorder<RegisterInput, RegisterOutput>();
  /** Proposals whose outcome nobody was told. */
  readonly #unanswered = new Map<number, OpenOperation<RegisterInput>>();
  #nextId = 1;
  #isOver = false;
  #avoided: ReadonlySet<VoprMember> = new Set();
  acknowledged = 0;
  reads = 0;
  /** Reads on a lease that were answered at once: no round takes no time. */
  leaseReads = 0;
  /** Reads that a follower answered. */
  followerReads = 0;

  constructor(parts: ClientSurroundings) {
    this.#parts = parts;
  }

  /** Another client begins to work. */
  start(name: string): void {
    const random = this.#parts.world.random.fork(`client ${name}`);
    this.#next(name, random);
  }

  /** From now on nobody asks these: they never answer, and whoever waits for them proves nothing about the others. */
  avoid(members: ReadonlySet<VoprMember>): void {
    this.#avoided = members;
  }

  /** No new operations. */
  end(): void {
    this.#isOver = true;
  }

  /**
   * Whether everything recorded can have happened in one order; asked when the members agree. What none of them applied
   * did not happen: a search that had to consider it would not end.
   */
  check(): LinearizabilityVerdict<RegisterInput, RegisterOutput> {
    for (const [id, open] of this.#unanswered) if (!this.#parts.checker.wasApplied(id)) this.#recorder.cancel(open);
    return checkLinearizability(registerModel, this.#recorder.history(), { stepsMax: 3_000_000 });
  }

  #next(name: string, random: SeededRandom): void {
    const { world, pauseMs } = this.#parts;
    world.scheduler.schedule(random.fraction() * 2 * pauseMs, `client ${name}`, () => {
      if (!this.#isOver) this.#act(name, random);
    });
  }

  #act(name: string, random: SeededRandom): void {
    const { world, members, keys, hasLeases } = this.#parts;
    const running = members.filter((one) => one.node !== undefined && !this.#avoided.has(one));
    const leaders = running.filter(({ node }) => node?.status().role === "leader");
    const choice = leaders.length > 0 && !random.chance(0.1) ? leaders : running;
    const key = `k${random.integer(keys)}`;
    // One client only reads: it goes on asking an old leader that answers.
    const input: RegisterInput = hasLeases && name === "c1" ? { kind: "read" } : this.#drawInput(random);
    if (choice.length === 0) {
      this.#next(name, random);
      return;
    }
    const isAnybodys = this.#parts.forwardsReads && input.kind === "read" && random.chance(0.5);
    const member = isAnybodys ? random.pick(running) : (this.#staleLeader(leaders, input) ?? random.pick(choice));
    const open = this.#recorder.begin({ process: name, key, invokeAt: world.nowMs(), input });
    let isDone = false;
    const goOn = (): void => {
      if (isDone) return;
      isDone = true;
      this.#next(name, random);
    };
    world.scheduler.schedule(hasLeases ? leasedPatienceMs : patienceMs, `patience ${name}`, goOn);
    const mode = this.#parts.hasLeases && random.chance(0.8) ? "lease" : "round";
    if (input.kind === "read") this.#read(member, mode, { open, goOn });
    else this.#propose(member, { id: this.#nextId++, input, open, goOn });
  }

  /** A client that does not know of the newest leader yet reads at the one before, where a lease that is too long shows. */
  #staleLeader(leaders: readonly VoprMember[], input: RegisterInput): VoprMember | undefined {
    if (!this.#parts.hasLeases || leaders.length < 2) return undefined;
    const byTerm = leaders.toSorted((left, right) => termOf(left) - termOf(right));
    return input.kind === "read" ? byTerm[0] : byTerm.at(-1);
  }

  #drawInput(random: SeededRandom): RegisterInput {
    const kind = random.integer(5);
    if (kind < 2) return { kind: "read" };
    const value = `v${this.#nextId}`;
    if (kind < 4) return { kind: "write", value };
    const expected = this.#nextId < 2 ? undefined : `v${Math.max(1, this.#nextId - 1 - random.integer(4))}`;
    return { kind: "cas", expected, value };
  }

  #read(
    member: VoprMember,
    mode: ReadMode,
    { open, goOn }: { readonly open: OpenOperation<RegisterInput>; readonly goOn: () => void },
  ): void {
    const { world } = this.#parts;
    const askedAtMs = world.nowMs();
    const wasFollower = member.node?.status().role === "follower";
    member.node?.readIndex(undefined, mode).then(
      () => {
        this.reads++;
        if (mode === "lease" && world.nowMs() === askedAtMs) this.leaseReads++;
        if (wasFollower) this.followerReads++;
        this.#recorder.end(open, { kind: "value", value: member.state.read(open.key) }, world.nowMs());
        goOn();
      },
      () => {
        this.#recorder.cancel(open);
        goOn();
      },
    );
  }

  #propose(
    member: VoprMember,
    order: {
      readonly id: number;
      readonly input: Exclude<RegisterInput, { kind: "read" }>;
      readonly open: OpenOperation<RegisterInput>;
      readonly goOn: () => void;
    },
  ): void {
    const { id, input, open, goOn } = order;
    this.#unanswered.set(id, open);
    void member.node?.propose(encodeCommand({ id, key: open.key, input })).then((outcome) => {
      this.#settle(member, id, open, outcome);
      goOn();
    });
  }

  #settle(member: VoprMember, id: number, open: OpenOperation<RegisterInput>, outcome: ProposeOutcome): void {
    const { checker, world } = this.#parts;
    if (outcome.kind !== "unknown") this.#unanswered.delete(id);
    if (outcome.kind === "applied") {
      this.acknowledged++;
      checker.acknowledged(id, outcome.index, outcome.term);
      const output = member.state.outputOf(id);
      if (output === undefined) checker.fail(`command ${id} is acknowledged by ${member.name} and not in its state`);
      else this.#recorder.end(open, output, world.nowMs());
    } else if (outcome.kind !== "unknown") {
      checker.refused(id);
      this.#recorder.cancel(open);
    }
  }
}

function termOf(member: VoprMember): number {
  return member.node?.status().term ?? 0;
}
