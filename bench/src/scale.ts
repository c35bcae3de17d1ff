import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { scaleCapacityBytes, scaleChunkBytes, type ScaleSize } from "@holdfast/master/testing/scale";
import { Liveness } from "@holdfast/proto/model/v1/model";
import { percentile, percentiles, type Measurement } from "./measurement.ts";
import { makeCluster, placeOf, type ScaleCluster } from "./scale-cluster.ts";
import { idsBetween, ScaleFleet } from "./scale-fleet.ts";
import type { NodeCounts } from "./scale-node.ts";
import { ScaleMaster } from "./scale-master.ts";
import { ScaleQuestions } from "./scale-questions.ts";

/** What the cluster goes through, in this order. */
export const scaleStates = ["rest", "answers", "scrub", "lost", "node", "zone", "added", "restart"] as const;
/** One of them. */
export type ScaleState = (typeof scaleStates)[number];

/** How the bench is run. */
export interface ScaleBench {
  readonly size: ScaleSize;
  /** States to go through; empty = all. */
  readonly only: readonly ScaleState[];
  /** How long each state is watched. */
  readonly seconds: number;
  /** Where a filled cluster is kept from one run to the next; absent = nowhere. */
  readonly folder: string | undefined;
  /** Where CPU profiles of the states go; absent = none are made. */
  readonly profiles: string | undefined;
}

/** Chunks of a dead node wait so long for it; the preset's ten minutes would only be waited for. */
const repairDelayMs = 15_000;
/**
 * The master's settings. Copies are drawn without looking at how full nodes are, so that they differ by a fifth: no matter
 * for balance here, but an empty node is (below a hundred thousand chunks on a thousand nodes it is none either).
 */
function settingsOf({ chunkCount, nodeCount }: ScaleSize): Readonly<Record<string, string>> {
  const meanFillPercent = (chunkCount * 3 * scaleChunkBytes * 100) / (nodeCount * scaleCapacityBytes);
  return {
    "--repair-delay-ms": `${repairDelayMs}`,
    "--balance-capacity-percent": `${Math.max(1, Math.floor(meanFillPercent * 0.9))}`,
  };
}

/**
 * What leading a large cluster costs: the shipped master in a process of its own on projections of so many chunks and
 * files, and so many nodes in another process, which report over gRPC. CPU is the master's alone, of one core.
 */
export async function measureScale(bench: ScaleBench): Promise<readonly Measurement[]> {
  const folder = bench.folder ?? (await mkdtemp(path.join(tmpdir(), "holdfast-scale-")));
  await mkdir(folder, { recursive: true });
  const filledFromMs = performance.now();
  const cluster = await makeCluster(folder, bench.size);
  console.log(`filled (or found) in ${((performance.now() - filledFromMs) / 1000).toFixed(0)} s`);
  const run = new ScaleRun(bench, cluster);
  try {
    return await run.all();
  } finally {
    await run.end();
    await rm(bench.folder === undefined ? folder : cluster.data, { recursive: true, force: true });
  }
}

class ScaleRun {
  readonly #bench: ScaleBench;
  readonly #cluster: ScaleCluster;
  readonly #fleet = new ScaleFleet();
  readonly #measurements: Measurement[] = [];
  #master: ScaleMaster | undefined;
  #questions: ScaleQuestions | undefined;

  constructor(bench: ScaleBench, cluster: ScaleCluster) {
    this.#bench = bench;
    this.#cluster = cluster;
  }

  /** The states that are wanted, in this order; each begins where the one before ended. */
  async all(): Promise<readonly Measurement[]> {
    const { size, seconds, only } = this.#bench;
    const { nodeCount, chunkCount, zoneCount } = size;
    const zone = idsBetween(1, nodeCount).filter((nodeId) => nodeId % zoneCount === 3);
    const states: Readonly<Record<ScaleState, () => Promise<void>>> = {
      rest: async () => void (await this.#watch("at rest: heartbeats and digests", seconds)),
      answers: () => this.#ask(),
      scrub: () => this.#scrub(),
      lost: () => this.#loseSilently(),
      node: () => this.#killNodes("a node dies", [nodeCount], { isWholeRepair: true }),
      zone: async () => {
        await this.#killNodes(`a zone of ${zone.length} nodes dies`, zone, { isWholeRepair: false });
        await this.#revive(zone);
      },
      added: () => this.#addNode(),
      restart: () => this.#restart(),
    };
    await this.#start();
    // The first round of digests is over after ten reports.
    await delay(12_000);
    for (const state of scaleStates) if (only.length === 0 || only.includes(state)) await states[state]();
    console.log(`${nodeCount} nodes, ${chunkCount} chunks, ${this.#cluster.filled.setCount} copy sets`);
    return this.#measurements;
  }

  async end(): Promise<void> {
    this.#fleet.end();
    await this.#questions?.end();
    await this.#master?.end("SIGKILL");
  }

  async #start(): Promise<void> {
    const fromMs = performance.now();
    const { nodeCount } = this.#bench.size;
    this.#master = await ScaleMaster.start({ data: this.#cluster.data, settings: settingsOf(this.#bench.size) });
    await this.#master.ready();
    this.#note("start to ready", (performance.now() - fromMs) / 1000, "s");
    this.#questions = new ScaleQuestions(this.#master.address);
    const status = await this.#questions.status();
    this.#note(
      "start to the first answer",
      (performance.now() - fromMs) / 1000,
      "s",
      `${status.chunks?.healthy} chunks`,
    );
    const place = placeOf(this.#cluster, { size: this.#bench.size, address: this.#master.address });
    await this.#fleet.tell({ kind: "place", place });
    await this.#fleet.tell({ kind: "run", nodeIds: idsBetween(1, nodeCount) });
    this.#questions.poll();
    this.#profile("start", 8);
    await this.#until("all nodes live", ({ live }) => live === nodeCount, 60_000);
    await this.#read("start until all nodes are live");
  }

  /** Every question of an administrator, ten times. */
  async #ask(): Promise<void> {
    const questions = Object.entries(this.#questions?.all() ?? {});
    for (const [name, ask] of questions) {
      const durationsMs: number[] = [];
      for (let round = 0; round < 10; round++) {
        const fromMs = performance.now();
        await ask();
        durationsMs.push(performance.now() - fromMs);
        await delay(100);
      }
      this.#note(`answer: ${name}`, percentile(durationsMs, 0.99), "ms p99", percentiles(durationsMs));
      await this.#read(`while asked for: ${name}`, { isStallOnly: true });
    }
  }

  /** A hundred nodes find ten damaged copies each. */
  async #scrub(): Promise<void> {
    const nodeIds = idsBetween(1, 100);
    await this.#read("", { isQuiet: true });
    const fromMs = performance.now();
    this.#profile("scrub", 20);
    await this.#fleet.tell({ kind: "damage", nodeIds, copiesMax: 10 });
    await this.#until("damage is known", ({ under, corrupt }) => under + corrupt > 0, 60_000);
    // A chunk that was being moved has enough copies without the damaged one, which then stays listed.
    await this.#until("damage is repaired", ({ under, corrupt }) => under === 0 && corrupt < 5, 120_000);
    this.#note("1,000 damaged copies found by scrubs, replaced after", (performance.now() - fromMs) / 1000, "s");
    await this.#read("1,000 damaged copies are replaced");
  }

  /** A hundred nodes lost four copies each and do not know it: their digests differ. */
  async #loseSilently(): Promise<void> {
    const fromMs = performance.now();
    this.#profile("lost silently", 60);
    await this.#fleet.tell({ kind: "lose", nodeIds: idsBetween(101, 200), copiesMax: 40 });
    await this.#until("what is lost is known", ({ under }) => under > 0, 60_000);
    await this.#until("what is lost is copied", ({ under }) => under === 0, 180_000);
    const { listedBuckets } = await this.#fleet.tell({ kind: "count" });
    this.#note(
      "4,000 copies lost silently, replaced after",
      (performance.now() - fromMs) / 1000,
      "s",
      `${listedBuckets} buckets were listed`,
    );
    await this.#read("4,000 silently lost copies are replaced");
  }

  async #killNodes(
    what: string,
    nodeIds: readonly number[],
    { isWholeRepair }: { isWholeRepair: boolean },
  ): Promise<void> {
    const { seconds } = this.#bench;
    await this.#read("", { isQuiet: true });
    const fromMs = performance.now();
    await this.#fleet.tell({ kind: "stop", nodeIds });
    const short = await this.#until("short chunks are counted", ({ under }) => under > 0, 60_000);
    const downMs = performance.now();
    this.#note(
      `${what}: until its chunks are counted as short`,
      (downMs - fromMs) / 1000,
      "s",
      "10 s of it to be sure",
    );
    await this.#until("all of them are down", ({ down }) => down >= nodeIds.length, 60_000);
    await this.#read(`${what}: until it is down`);
    await this.#until("repair begins", ({ repairing }) => repairing > 0, 60_000);
    this.#note(
      `${what}: from down to the first orders`,
      (performance.now() - downMs) / 1000,
      "s",
      `${repairDelayMs / 1000} s of it are the delay; ${short.under} chunks short`,
    );
    await this.#read(`${what}: repair waits`);
    const { fetched } = await this.#watch(`${what}: repair runs`, seconds);
    this.#note(`${what}: copies a second, the leader's side of it`, fetched / seconds, "copies/s");
    if (!isWholeRepair) return;
    await this.#until("all is repaired", ({ under }) => under === 0, 300_000);
    this.#note(
      `${what}: from down to all copies planned and confirmed`,
      (performance.now() - downMs) / 1000,
      "s",
      `${short.under} chunks`,
    );
    await this.#read(`${what}: the rest of the repair`);
  }

  async #revive(nodeIds: readonly number[]): Promise<void> {
    await this.#read("", { isQuiet: true });
    const fromMs = performance.now();
    await this.#fleet.tell({ kind: "run", nodeIds });
    await this.#until("all nodes are back", ({ down }) => down <= 1, 60_000);
    this.#note("the zone is back: until all count again", (performance.now() - fromMs) / 1000, "s");
    await this.#watch("the zone is back", this.#bench.seconds);
  }

  async #addNode(): Promise<void> {
    const nodeId = this.#bench.size.nodeCount + 1;
    await this.#read("", { isQuiet: true });
    const fromMs = performance.now();
    await this.#fleet.tell({ kind: "join", firstId: nodeId, lastId: nodeId });
    await this.#fleet.tell({ kind: "run", nodeIds: [nodeId] });
    await this.#until("chunks are moved", ({ moving }) => moving > 0, 120_000);
    this.#note("a node is added: until the first moves", (performance.now() - fromMs) / 1000, "s");
    await this.#watch("a node is added: balancing runs", this.#bench.seconds);
  }

  async #restart(): Promise<void> {
    await this.#questions?.end();
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await this.#master?.end(signal);
      const fromMs = performance.now();
      this.#master = await ScaleMaster.start({ data: this.#cluster.data, settings: settingsOf(this.#bench.size) });
      await this.#master.ready();
      const readyMs = performance.now() - fromMs;
      this.#questions = new ScaleQuestions(this.#master.address);
      await this.#questions.status();
      const answerMs = performance.now() - fromMs;
      await this.#questions.end();
      this.#note(
        `restart after ${signal}, to the first answer`,
        answerMs / 1000,
        "s",
        `ready after ${(readyMs / 1000).toFixed(1)} s`,
      );
    }
  }

  async #watch(what: string, seconds: number): Promise<NodeCounts> {
    await this.#read("", { isQuiet: true });
    await this.#fleet.tell({ kind: "count" });
    this.#profile(what, seconds - 0.5);
    await delay(seconds * 1000);
    const counts = await this.#fleet.tell({ kind: "count" });
    await this.#read(what, { counts });
    return counts;
  }

  #profile(what: string, seconds: number): void {
    const { profiles } = this.#bench;
    if (profiles === undefined) return;
    this.#master?.profile(path.join(profiles, `${what.replaceAll(/\W+/g, "-")}.cpuprofile`), seconds * 1000);
  }

  /** Notes what the master did since the last call. */
  async #read(what: string, how: ReadHow = {}): Promise<void> {
    const master = this.#master;
    if (master === undefined) return;
    const answer = await master.read();
    const polledMs = this.#questions?.polledMs() ?? [];
    if (how.isQuiet === true) return;
    const stall = `longest stall ${answer.stallMsMax.toFixed(0)} ms (p99 ${answer.stallMsP99.toFixed(0)}, longest collection ${answer.collectionMsMax.toFixed(0)})`;
    if (how.isStallOnly === true) return this.#note(what, answer.stallMsMax, "ms longest stall", stall);
    const memory = await master.memory();
    const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
    const { brokenStreams, refused } = how.counts ?? (await this.#fleet.tell({ kind: "count" }));
    this.#note(what, (answer.cpuMs / answer.wallMs) * 100, "% of a core", stall);
    this.#note(
      `${what}: small calls`,
      percentile(polledMs, 0.99),
      "ms p99",
      `${percentiles(polledMs)}; ${brokenStreams} streams broke, ${refused} refused`,
    );
    this.#note(
      `${what}: memory`,
      mebibytes(memory.rss),
      "MiB RSS",
      `${mebibytes(memory.files)} of it mapped files; heap ${mebibytes(answer.heapUsedBytes)} of ${mebibytes(answer.heapTotalBytes)}, outside it ${mebibytes(answer.externalBytes)}; peak ${mebibytes(memory.peak)}`,
    );
  }

  #note(what: string, value: number, unit: string, detail?: string): void {
    console.log(`  ${what}: ${value.toFixed(1)} ${unit}${detail === undefined ? "" : ` (${detail})`}`);
    this.#measurements.push({ what, value, unit, ...(detail === undefined ? {} : { detail }) });
  }

  async #until(what: string, isTrue: (state: SeenState) => boolean, limitMs: number): Promise<SeenState> {
    const deadlineMs = performance.now() + limitMs;
    for (;;) {
      const state = await this.#state();
      if (isTrue(state)) return state;
      if (performance.now() > deadlineMs) throw new Error(`${what}: not reached in time: ${JSON.stringify(state)}`);
      await delay(1000);
    }
  }

  async #state(): Promise<SeenState> {
    const questions = this.#questions;
    if (questions === undefined) throw new Error("the master was started");
    const { nodes, chunks, repair } = await questions.status();
    const { balance } = await questions.fleet();
    const count = (liveness: Liveness): number => nodes.filter((node) => node.liveness === liveness).length;
    return {
      live: count(Liveness.LIVE),
      down: count(Liveness.DEAD),
      under: Number(chunks?.under ?? 0),
      corrupt: Number(chunks?.corrupt ?? 0),
      repairing: Number(repair?.activeChunks ?? 0),
      moving: Number(balance?.activeMoves ?? 0),
    };
  }
}

interface ReadHow {
  /** Only a new beginning. */
  readonly isQuiet?: boolean;
  readonly isStallOnly?: boolean;
  /** What the nodes have just said. */
  readonly counts?: NodeCounts;
}

interface SeenState {
  readonly live: number;
  readonly down: number;
  readonly under: number;
  readonly corrupt: number;
  readonly repairing: number;
  readonly moving: number;
}
