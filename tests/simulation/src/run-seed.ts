import { createSimWorld, type SimWorld } from "@holdfast/runtime/sim";
import type { Caller } from "@holdfast/gateway";
import { RaftChecker } from "./checkers/raft-checker.ts";
import { awaitFullCopies } from "./checkers/full-copies.ts";
import { FaultInjector } from "./fault-injector.ts";
import { planFaults } from "./fault-plan.ts";
import { loseNode } from "./lost-node.ts";
import { SimulatedClient } from "./simulated-client.ts";
import { SimulatedCluster, simulatedUser } from "./simulated-cluster.ts";

/** What one run came to. Equal seeds give equal reports. */
export interface SimulationReport {
  readonly seed: number;
  readonly traceHash: string;
  readonly operationCount: number;
  readonly faultCount: number;
  /** "kill 3, partition 2". */
  readonly faults: string;
  readonly termCount: number;
  readonly virtualMs: number;
  /** Broken promises; none, one hopes. */
  readonly violations: readonly string[];
}

/** For looking at a run. */
export interface RunOptions {
  readonly log?: (line: string) => void;
}

const clientCount = 3;
const startLimitMs = 60_000;
const faultSpanMs = 7_000;
const calmLimitMs = 120_000;
const observeIntervalMs = 20;
/** How often a run ends with a node that dies for good. */
const lostNodeChance = 0.25;

/** Runs the whole cluster once: start, work under faults, heal, then everything acknowledged must be there. */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<SimulationReport> {
  const world = createSimWorld(seed);
  const cluster = new SimulatedCluster(world);
  const checker = new RaftChecker();
  const violations: string[] = [];
  const report = (violation: string): void => {
    violations.push(`${Math.round(world.nowMs())} ms: ${violation}`);
    options.log?.(`${world.nowMs().toFixed(1)} VIOLATION ${violation}`);
  };
  watch(world, cluster, checker);
  if (options.log !== undefined) logItems(world, options.log);
  cluster.start();
  drawNetwork(world, cluster);
  const injector = new FaultInjector(world, cluster.network, cluster.hosts());
  const caller = await signIn(world, cluster);
  let operationCount = 0;
  if (caller === undefined) report(`the cluster was not ready within ${startLimitMs} ms`);
  else {
    const clients = startClients(world, cluster, { caller, report });
    injector.schedule(planFaults(world.random.fork("faults"), cluster.targets(), faultSpanMs));
    await world.runFor(faultSpanMs);
    injector.healAll();
    for (const { client } of clients) client.finish();
    await settle(world, "the clients' last operations", Promise.all(clients.map(({ ended }) => ended)), report);
    await settle(
      world,
      "reading everything back",
      Promise.all(clients.map(({ client }) => client.verifyAll())),
      report,
    );
    operationCount = clients.reduce((sum, { client }) => sum + client.operationCount, 0);
    const shortage = await awaitFullCopies(world, cluster, { caller, limitMs: calmLimitMs });
    if (shortage !== undefined) report(`not every chunk got its full number of copies back: ${shortage}`);
    if (world.random.fork("lost node chance").chance(lostNodeChance)) {
      const lost = await loseNode(world, cluster, { caller, limitMs: calmLimitMs, report });
      const readings = Promise.all(clients.map(({ client }) => client.verifyAll()));
      await settle(world, "reading everything back without the node", readings, report);
      await lost.bringBack();
    }
    if (!(await world.runUntil(() => areEqual(cluster), calmLimitMs)))
      report("the masters did not reach the same index and state");
  }
  const counts = [...injector.counts];
  return {
    seed,
    traceHash: world.traceHash(),
    operationCount,
    faultCount: counts.reduce((sum, [, count]) => sum + count, 0),
    faults: counts.map(([kind, count]) => `${kind} ${count}`).join(", "),
    termCount: checker.termCount,
    virtualMs: world.nowMs(),
    violations: [...violations, ...checker.violations],
  };
}

function startClients(
  world: SimWorld,
  cluster: SimulatedCluster,
  parts: { readonly caller: Caller; readonly report: (violation: string) => void },
): readonly { readonly client: SimulatedClient; readonly ended: Promise<void> }[] {
  const process = world.machine("clients").startProcess();
  return Array.from({ length: clientCount }, (_, index) => {
    const label = String.fromCodePoint(97 + index);
    const random = world.random.fork(`client ${label}`);
    const client = new SimulatedClient({ label, process, random, drive: () => cluster.drive(), ...parts });
    return { client, ended: client.run() };
  });
}

/** Some worlds have slow links, some lose connections (and with them whatever was on its way) all the time. */
function drawNetwork(world: SimWorld, cluster: SimulatedCluster): void {
  const random = world.random.fork("links");
  const delayMs = [0.05, random.chance(0.3) ? random.between(1, 40) : 0.5] as const;
  const breakProbability = random.chance(0.4) ? random.between(0.000_1, 0.003) : 0;
  cluster.network.setDefaultQuality({ delayMs, breakProbability });
}

/** Looks at all masters again and again, between everything else. */
function watch(world: SimWorld, cluster: SimulatedCluster, checker: RaftChecker): void {
  const look = (): void => {
    for (const view of cluster.views()) checker.observe(view);
    world.scheduler.schedule(observeIntervalMs, "observe", look);
  };
  look();
}

/** Waits until the first account can sign in. */
async function signIn(world: SimWorld, cluster: SimulatedCluster): Promise<Caller | undefined> {
  const process = world.machine("setup").startProcess();
  let caller: Caller | undefined;
  const attempt = (): void => {
    const gateway = cluster.gateway.running;
    const again = (): void => void process.timers.after(200, attempt);
    if (gateway === undefined) {
      again();
      return;
    }
    const wish = {
      ...simulatedUser,
      channel: "cli",
      keepSignedIn: true,
      ip: "10.0.0.99",
      client: "simulation",
    } as const;
    const scope = { requestId: "5".repeat(32), signal: new AbortController().signal };
    gateway.sessions.signIn(wish, scope).then((started) => {
      caller = started.caller;
    }, again);
  };
  attempt();
  await world.runUntil(() => caller !== undefined, startLimitMs);
  return caller;
}

/** Runs the world until the work ends; a report when it does not. */
async function settle(
  world: SimWorld,
  what: string,
  work: Promise<unknown>,
  report: (violation: string) => void,
): Promise<void> {
  let isOver = false;
  const failures: unknown[] = [];
  work.then(
    () => (isOver = true),
    (error: unknown) => failures.push(error),
  );
  const hasEnded = await world.runUntil(() => isOver || failures.length > 0, calmLimitMs);
  for (const failure of failures)
    report(`${what} failed: ${failure instanceof Error ? (failure.stack ?? failure.message) : String(failure)}`);
  if (!hasEnded) report(`${what} did not end within ${calmLimitMs} ms of calm`);
}

function areEqual(cluster: SimulatedCluster): boolean {
  const views = cluster.views();
  const [first] = views;
  return (
    views.length === cluster.masters.length &&
    views.every((view) => view.appliedIndex === first?.appliedIndex && view.stateHash === first.stateHash)
  );
}

function logItems(world: SimWorld, log: (line: string) => void): void {
  world.scheduler.observe((atMs, label) => {
    if (/^(fault|undo|restart|bug)/.test(label)) log(`${atMs.toFixed(1)} ${label}`);
  });
}
