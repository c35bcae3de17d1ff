import { createMetrics } from "@holdfast/observability";
import { createJsonLogger } from "@holdfast/observability/node";
import { createGrpcNetwork } from "@holdfast/rpc/node";
import { createNodeClock, createNodeDisk, createNodeRandom, createNodeTimers } from "@holdfast/runtime/node";
import {
  openRaftNode,
  type CommittedEntry,
  type LogIndex,
  type PeerId,
  type RaftNode,
  type StateMachine,
} from "@holdfast/raft";
import type { LoadReport, MemberCommand, MemberOptions, MemberReport } from "./member-protocol.ts";

/** Counts and keeps a running checksum of what it was given; nothing is durable, so a restart replays the whole log. */
class ChecksumStateMachine implements StateMachine {
  count = 0;
  checksum = 0;
  #appliedIndex = 0 as LogIndex;

  appliedIndex(): LogIndex {
    return this.#appliedIndex;
  }

  async apply(entries: readonly CommittedEntry[], throughIndex: LogIndex): Promise<void> {
    for (const { data, index } of entries) {
      this.count++;
      this.checksum = (Math.imul(this.checksum, 31) + index + (data[0] ?? 0) + data.length) | 0;
    }
    this.#appliedIndex = throughIndex;
  }

  async flush(): Promise<void> {
    // Held in memory only.
  }
}

/** `callers` propose one after another until the time is over; each waits for its own outcome. */
async function runLoad(
  node: RaftNode,
  load: { readonly callers: number; readonly seconds: number; readonly entryBytes: number },
): Promise<LoadReport> {
  const endMs = performance.now() + load.seconds * 1000;
  const latenciesMs: number[] = [];
  let failed = 0;
  const startedMs = performance.now();
  const call = async (caller: number): Promise<void> => {
    const data = new Uint8Array(load.entryBytes).fill(caller);
    while (performance.now() < endMs) {
      const sentMs = performance.now();
      const outcome = await node.propose(data);
      if (outcome.kind === "applied") latenciesMs.push(performance.now() - sentMs);
      else {
        failed++;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  };
  await Promise.all(Array.from({ length: load.callers }, (_, caller) => call(caller)));
  latenciesMs.sort((left, right) => left - right);
  const at = (share: number): number => latenciesMs[Math.max(0, Math.ceil(share * latenciesMs.length) - 1)] ?? 0;
  return {
    kind: "load",
    applied: latenciesMs.length,
    failed,
    seconds: (performance.now() - startedMs) / 1000,
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    max: at(1),
  };
}

const options = JSON.parse(process.argv[2] ?? "{}") as MemberOptions;
const clock = createNodeClock();
const timers = createNodeTimers();
const random = createNodeRandom();
const metrics = createMetrics();
const logger = createJsonLogger({
  clock,
  levelMin: options.logLevel ?? "error",
  write: (line: string) => void process.stderr.write(line),
});
const network = createGrpcNetwork({ clock, timers, random, logger, metrics });
const stateMachine = new ChecksumStateMachine();
const peers = options.addresses.map((address, index) => ({ id: (index + 1) as PeerId, address }));
const config = {
  clusterId: "bench",
  id: options.id as PeerId,
  peers,
  directory: options.directory,
  ...(options.settings === undefined ? {} : { settings: options.settings }),
};
const node = await openRaftNode(
  config,
  { clock, timers, random, disk: createNodeDisk(), network, logger, metrics },
  stateMachine,
);
const address = options.addresses[options.id - 1] ?? "";
const listener = await network.listen(address, node.services);
node.start();
const report = (message: MemberReport): void => void process.send?.(message);
node.subscribe((event) => {
  if (event.kind === "readyToLead") report({ kind: "readyToLead", term: event.term });
});
process.on("message", (command: MemberCommand) => {
  if (command.kind === "load") void runLoad(node, command).then(report);
  if (command.kind === "status")
    report({
      kind: "status",
      status: node.status(),
      count: stateMachine.count,
      checksum: stateMachine.checksum,
      cpuMs: process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000,
      rssBytes: process.memoryUsage.rss(),
    });
  if (command.kind === "transfer") {
    const told = (refusal: string): void => report({ kind: "transferred", refusal });
    void node.transferLeadership().then(
      () => told(""),
      (error: unknown) => told(String(error)),
    );
  }
  if (command.kind === "metrics") report({ kind: "metrics", text: metrics.render() });
  if (command.kind === "propose") {
    void node
      .propose(new TextEncoder().encode(command.text))
      .then((outcome) => report({ kind: "proposed", text: command.text, outcome: outcome.kind }));
  }
  if (command.kind === "stop") {
    void node
      .stop()
      .then(() => listener.close())
      .then(() => network.close())
      .then(() => process.exit(0));
  }
});
report({ kind: "started" });
