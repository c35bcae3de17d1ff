import { setTimeout as delay } from "node:timers/promises";
import type { ChaosCluster } from "../cluster/chaos-cluster.ts";
import type { SeededChance } from "../workload/seeded-chance.ts";
import type { FaultKind, PlannedFault } from "./fault-plan.ts";
import { flipBytes } from "./flip-bytes.ts";

/** One fault that happened. */
export interface InjectedFault {
  readonly kind: FaultKind;
  readonly what: string;
  /** Since the start of the run. */
  readonly atMs: number;
  readonly tookMs: number;
}

/** What hurting needs. */
export interface NemesisOptions {
  readonly cluster: ChaosCluster;
  readonly chance: SeededChance;
  /** Who leads now; undefined when nobody can say. */
  readonly leader: () => Promise<string | undefined>;
  readonly report: (line: string) => void;
}

/** Does planned faults to a cluster and undoes them. */
export class Nemesis {
  readonly injected: InjectedFault[] = [];
  readonly #options: NemesisOptions;
  readonly #startedAtMs = performance.now();
  readonly #damaged = new Set<string>();

  constructor(options: NemesisOptions) {
    this.#options = options;
  }

  /** Does it, holds it, undoes it. */
  async inject(fault: PlannedFault): Promise<void> {
    const { report } = this.#options;
    const targets = await this.#targetsOf(fault);
    const atMs = performance.now() - this.#startedAtMs;
    const what = await this.#hurt(fault, targets);
    if (what === undefined) return;
    const tookMs = performance.now() - this.#startedAtMs - atMs;
    this.injected.push({ kind: fault.kind, what, atMs, tookMs });
    report(`${(atMs / 1000).toFixed(1)} s ${fault.kind}: ${what.slice(0, 120)} (${(tookMs / 1000).toFixed(1)} s)`);
  }

  async #targetsOf(fault: PlannedFault): Promise<readonly string[]> {
    if (fault.targets[0] !== "leader") return fault.targets;
    const leader = (await this.#options.leader()) ?? this.#options.chance.pick(this.#options.cluster.ofRole("master"));
    return [leader, ...fault.targets.slice(1)];
  }

  /** What was done, in words; undefined: it could not be done. */
  async #hurt(fault: PlannedFault, targets: readonly string[]): Promise<string | undefined> {
    const { cluster, chance } = this.#options;
    const [first = "", second = ""] = targets;
    const hold = (): Promise<void> => delay(fault.holdMs);
    switch (fault.kind) {
      case "killLeader":
      case "killMaster":
      case "killNode":
      case "killGateway":
        await cluster.kill(first);
        await hold();
        await cluster.startProcess(first);
        return first;
      case "pauseLeader":
      case "pauseMaster":
      case "pauseNode":
      case "pauseGateway":
        await cluster.pause(first);
        await hold();
        await cluster.resume(first);
        return first;
      case "cutPair":
        await cluster.cut(first, second);
        await cluster.cut(second, first);
        await hold();
        await cluster.healNetwork();
        return `${first} and ${second}`;
      case "cutOneWay":
        await cluster.cut(first, second);
        await hold();
        await cluster.healNetwork();
        return `${first} to ${second}`;
      case "isolate":
      case "isolateLeader":
        await this.#split([first], hold);
        return `${first} from all others`;
      case "partition":
        await this.#split(targets, hold);
        return `${targets.join(", ")} from the others`;
      case "fullDisk":
        await cluster.fillDisk(first);
        await hold();
        await cluster.freeDisk(first);
        return first;
      case "flipBytes":
        return flipBytes(cluster, first, chance, this.#damaged);
      case "wrongClock":
        await cluster.setClockOffset(first, fault.offsetMs);
        await hold();
        await cluster.setClockOffset(first, 0);
        return `${first} by ${fault.offsetMs / 1000} s`;
      case "restartEverything":
        await cluster.killEverything();
        await Promise.all(cluster.names.map((name) => cluster.startProcess(name)));
        await cluster.waitUntilReady();
        return "all processes killed at once";
      case "rollingRestart":
        await rollingRestart(cluster);
        return "every process in turn";
    }
  }

  /** Nothing passes between these and the others. */
  async #split(inside: readonly string[], hold: () => Promise<void>): Promise<void> {
    const { cluster } = this.#options;
    const outside = cluster.names.filter((name) => !inside.includes(name));
    const pairs = inside.flatMap((name) => outside.map((other) => [name, other] as const));
    await Promise.all(pairs.flatMap(([name, other]) => [cluster.cut(other, name), cluster.cut(name, other)]));
    await hold();
    await cluster.healNetwork();
  }
}

/** Stops (SIGTERM) and starts every process, one after the other, each ready before the next. */
export async function rollingRestart(
  cluster: ChaosCluster,
  names: readonly string[] = cluster.names,
  report: (name: string) => void = () => undefined,
): Promise<void> {
  for (const name of names) {
    await cluster.stop(name);
    await cluster.startProcess(name);
    await cluster.waitForProcess(name);
    report(name);
  }
}
