import { createSimWorld, type SimWorld } from "@holdfast/runtime/sim";
import type { Caller } from "@holdfast/gateway";
import { CopyChecker } from "../checkers/copy-checker.ts";
import { awaitFullCopies } from "../checkers/full-copies.ts";
import { RaftChecker } from "../checkers/raft-checker.ts";
import { FaultInjector } from "../faults/fault-injector.ts";
import { type PlannedFault, planFaults } from "../faults/fault-plan.ts";
import { loseNode } from "../faults/lost-node.ts";
import { Administrator } from "../workload/administrator.ts";
import { type Gateways, PatientCaller, type PatientCallerParts } from "../workload/patient-caller.ts";
import { SessionProbe, signInAtLast } from "../workload/session-probe.ts";
import { SharedNames } from "../workload/shared-names.ts";
import { SimulatedClient } from "../workload/simulated-client.ts";
import { WorkloadMeter } from "../workload/workload-meter.ts";
import { SimulatedCluster } from "../world/simulated-cluster.ts";
import { drawShape, type WorldShape } from "../world/world-shape.ts";
import type { RunRecorder } from "./run-recorder.ts";
import { latencyOf, type SimulationReport } from "./seed-report.ts";

/** What differs from what the seed draws; for looking at a run and for making it smaller. */
export interface RunOptions {
  readonly log?: (line: string) => void;
  readonly recorder?: RunRecorder;
  readonly shape?: Partial<WorldShape>;
  /** Which of the planned faults happen. */
  readonly keepsFault?: (index: number) => boolean;
  /** Steps of each client. */
  readonly stepsMax?: number;
}

const startLimitMs = 60_000;
const calmLimitMs = 90_000;
/** From the end of all faults until a client must have written and read something new. */
const serviceLimitMs = 20_000;
/** Masters are looked at whenever so many items were run. */
const itemsPerLook = 16;

/** Runs the whole cluster once: start, work under faults, heal, then everything acknowledged must be there. */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<SimulationReport> {
  const run = new SeedRun(seed, options);
  try {
    await run.play();
  } catch (error) {
    run.report(`a bug ended the run: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  return run.finish();
}

class SeedRun {
  readonly #seed: number;
  readonly #options: RunOptions;
  readonly #world: SimWorld;
  readonly #shape: WorldShape;
  readonly #cluster: SimulatedCluster;
  readonly #raftChecker = new RaftChecker();
  readonly #copyChecker: CopyChecker;
  readonly #shared: SharedNames;
  readonly #meter: WorkloadMeter;
  readonly #violations: string[] = [];
  #injector: FaultInjector | undefined;
  #stepCount = 0;

  constructor(seed: number, options: RunOptions) {
    this.#seed = seed;
    this.#options = options;
    const world = createSimWorld(seed);
    this.#world = world;
    this.#shape = { ...drawShape(world.random.fork("shape")), ...options.shape };
    const cluster = new SimulatedCluster(world, this.#shape);
    this.#cluster = cluster;
    const machines = cluster.nodes.map((node) => node.machine);
    this.#copyChecker = new CopyChecker({
      ...{ world, machines, report: (violation) => this.report(violation) },
      onDamaged: (machine, chunkId) => options.recorder?.damaged(machine, chunkId),
    });
    cluster.onApplied((batch) => this.#copyChecker.onApplied(batch));
    this.#shared = new SharedNames(world);
    this.#meter = new WorkloadMeter(world, () => this.#copyChecker.facts.isRepairing);
    options.recorder?.attach({ world, cluster, meter: this.#meter });
    this.#watch();
  }

  report(violation: string): void {
    this.#violations.push(`${Math.round(this.#world.nowMs())} ms: ${violation}`);
    this.#options.log?.(`${this.#world.nowMs().toFixed(1)} VIOLATION ${violation}`);
    this.#options.recorder?.note("violation", violation);
  }

  async play(): Promise<void> {
    const world = this.#world;
    this.#cluster.start();
    const setup = this.#callerParts("setup");
    let caller: Caller | undefined;
    const started = signInAtLast(new PatientCaller(setup), setup).then((session) => void (caller = session.caller));
    if (!(await world.runUntil(() => caller !== undefined, startLimitMs)) || caller === undefined) {
      this.report(`the cluster was not ready within ${startLimitMs} ms`);
      return;
    }
    await started;
    const nodeIdOn = (machine: string): number | undefined => this.#copyChecker.facts.nodeOn(machine)?.nodeId;
    const administrator = new Administrator({ ...setup, caller, nodeIdOn });
    const clients = this.#startClients(caller);
    const probe = new SessionProbe(world, this.#callerParts("probe"));
    const probing = probe.run();
    const { injector, faultsEndMs } = this.#injectFaults(administrator);
    await world.runFor(faultsEndMs);
    injector.healAll([...this.#cluster.hosts()].filter((host) => host.startCount > 0));
    this.#options.recorder?.note("phase", "everything is healed");
    for (const { client } of clients) client.finish();
    probe.finish();
    await this.#settle("the clients' last steps", Promise.all(clients.map(({ ended }) => ended)));
    await this.#settle("the administrator's orders", administrator.settled());
    await this.#settle("signing out", probing);
    await this.#verify(
      clients.map(({ client }) => client),
      caller,
      probe,
    );
    this.#stepCount = clients.reduce((sum, { client }) => sum + client.stepCount, 0);
  }

  finish(): SimulationReport {
    const linearity = this.#shared.findViolation();
    if (linearity !== undefined) this.report(linearity);
    const counts = this.#injector?.counts ?? new Map();
    return {
      seed: this.#seed,
      traceHash: this.#world.traceHash(),
      operationCount: this.#stepCount,
      bytes: this.#meter.bytes(),
      faults: Object.fromEntries(counts),
      faultCount: [...counts.values()].reduce((sum, count) => sum + count, 0),
      termCount: this.#raftChecker.termCount,
      virtualMs: this.#world.nowMs(),
      reads: { calm: latencyOf(this.#meter.readMs(false)), repairing: latencyOf(this.#meter.readMs(true)) },
      violations: [...this.#violations, ...this.#raftChecker.violations],
    };
  }

  /** After all faults: service, every byte, every copy, and one state. */
  async #verify(clients: readonly SimulatedClient[], caller: Caller, probe: SessionProbe): Promise<void> {
    const world = this.#world;
    const calm = { caller, gateways: this.#gateways, limitMs: calmLimitMs, checker: this.#copyChecker };
    const served = Promise.all(clients.map((client) => client.writeAndRead()));
    await this.#settle("writing and reading after everything was healed", served, serviceLimitMs);
    await this.#settle("reading everything back", Promise.all(clients.map((client) => client.verifyAll())));
    const shortage = await awaitFullCopies(world, calm);
    if (shortage !== undefined) this.report(`not every chunk got its full number of copies back: ${shortage}`);
    if (this.#shape.losesNode) {
      const report = (violation: string): void => this.report(violation);
      const lost = await loseNode(world, this.#cluster, { ...calm, report });
      const readings = Promise.all(clients.map((client) => client.verifyAll()));
      await this.#settle("reading everything back without the node", readings);
      await lost.bringBack();
    }
    if (!(await world.runUntil(() => this.#areMastersEqual(), calmLimitMs)))
      this.report("the masters did not reach the same index and state");
    await this.#settle("asking for ended sessions", probe.verifyAll());
  }

  #startClients(caller: Caller): readonly { readonly client: SimulatedClient; readonly ended: Promise<void> }[] {
    const { clientCount, chunkSizeBytes, pauseMsMax } = this.#shape;
    return Array.from({ length: clientCount }, (_, index) => {
      const label = String.fromCodePoint(97 + index);
      const client = new SimulatedClient({
        ...this.#callerParts(`client ${label}`),
        ...{ label, caller, chunkSizeBytes, pauseMsMax, shared: this.#shared, meter: this.#meter },
        stepsMax: this.#options.stepsMax ?? Number.POSITIVE_INFINITY,
      });
      return { client, ended: client.run() };
    });
  }

  #injectFaults(administrator: Administrator): { readonly injector: FaultInjector; readonly faultsEndMs: number } {
    const { keepsFault, recorder, log } = this.#options;
    const { faultSpanMs } = this.#shape;
    const injector = new FaultInjector({
      world: this.#world,
      network: this.#cluster.network,
      hosts: this.#cluster.hosts(),
      harm: this.#copyChecker,
      steering: administrator,
      onFault: (what, phase, fault) => {
        log?.(`${this.#world.nowMs().toFixed(1)} ${phase === "begins" ? "fault" : "undo"} ${what}`);
        recorder?.fault(what, phase, fault);
      },
    });
    this.#injector = injector;
    const plan = planFaults(this.#world.random.fork("faults"), this.#cluster.targets(), faultSpanMs);
    injector.schedule(plan.filter((_, index) => keepsFault?.(index) ?? true));
    return { injector, faultsEndMs: faultSpanMs };
  }

  /** The gateways whose processes are up. */
  readonly #gateways: Gateways = () =>
    this.#cluster.gateways.flatMap(({ running, process }) =>
      running === undefined || process === undefined ? [] : [{ gateway: running, process }],
    );

  #callerParts(name: string): PatientCallerParts {
    return {
      process: this.#world.machine("clients").startProcess(),
      random: this.#world.random.fork(name),
      gateways: this.#gateways,
      report: (violation) => this.report(violation),
    };
  }

  /** Looks at all masters again and again, between everything else. */
  #watch(): void {
    let itemCount = 0;
    this.#world.scheduler.observe((atMs, label) => {
      this.#options.recorder?.look();
      if (++itemCount % itemsPerLook === 0) for (const view of this.#cluster.views()) this.#raftChecker.observe(view);
      if (this.#options.log !== undefined && /^(restart|bug)/.test(label))
        this.#options.log(`${atMs.toFixed(1)} ${label}`);
    });
  }

  /** Runs the world until the work ends; a report when it does not. */
  async #settle(what: string, work: Promise<unknown>, limitMs = calmLimitMs): Promise<void> {
    let isOver = false;
    const failures: unknown[] = [];
    work.then(
      () => (isOver = true),
      (error: unknown) => failures.push(error),
    );
    const hasEnded = await this.#world.runUntil(() => isOver || failures.length > 0, limitMs);
    for (const failure of failures)
      this.report(`${what} failed: ${failure instanceof Error ? (failure.stack ?? failure.message) : String(failure)}`);
    if (!hasEnded) this.report(`${what} did not end within ${limitMs} ms of calm`);
  }

  #areMastersEqual(): boolean {
    const views = this.#cluster.views();
    const [first] = views;
    return (
      views.length === this.#cluster.masters.length &&
      views.every((view) => view.appliedIndex === first?.appliedIndex && view.stateHash === first.stateHash)
    );
  }
}

/** What a seed plans to go wrong, for making it smaller. */
export function plannedFaults(seed: number): readonly PlannedFault[] {
  const world = createSimWorld(seed);
  const shape = drawShape(world.random.fork("shape"));
  const targets = new SimulatedCluster(world, shape).targets();
  return planFaults(world.random.fork("faults"), targets, shape.faultSpanMs);
}
