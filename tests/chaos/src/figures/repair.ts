import { stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { FailNodeSchema, FleetCommandSchema } from "@holdfast/proto/fleet/v1/fleet";
import { ChaosCluster } from "../cluster/chaos-cluster.ts";
import { chaosUser } from "../cluster/cluster-plan.ts";
import { statusOf } from "../leader-of.ts";
import { listChunkFiles, surveyDisks } from "../verify/chunk-walker.ts";
import { findMissingCopies, type WantedChunk } from "../verify/copies-check.ts";
import { factsOf, makeContent } from "../workload/contents.ts";
import { EdgeSession } from "../workload/edge-session.ts";
import { SeededChance } from "../workload/seeded-chance.ts";
import { type FigureReport, percentile, spread } from "./figure.ts";

/** What is lost, and how. */
export interface RepairOptions {
  /** On the node that is killed. */
  readonly mebibytes: number;
  /** Declared dead by an administrator right after the kill. */
  readonly isDeclared: boolean;
  readonly readers: number;
  readonly report: (line: string) => void;
}

interface Read {
  readonly beganAtMs: number;
  readonly tookMs: number;
}

interface TestFile {
  readonly name: string;
  readonly sha256: string;
  readonly entryId: bigint;
  readonly versionId: bigint;
  readonly sizeBytes: bigint;
}

const victim = "node-2";
const chunkSizeBytes = 4 << 20;
const fileBytes = 3 * chunkSizeBytes;
const quietMs = 10_000;

/** Kills a chunkserver for good while files are read, and watches the disks of the others until every copy is back. */
export async function measureRepair(options: RepairOptions): Promise<FigureReport> {
  const cluster = await ChaosCluster.start({ chunkSizeBytes });
  const cutOff = new AbortController();
  try {
    const session = new EdgeSession({
      origins: cluster.origins,
      user: chaosUser,
      firstGateway: 0,
      signal: cutOff.signal,
    });
    const { files, wanted } = await store(cluster, session, options);
    const survivors = cluster.ofRole("node").filter((name) => name !== victim);
    const lostBytes = await chunkBytes(cluster, [victim]);
    const reads: Read[] = [];
    const violations: string[] = [];
    const readers = Array.from({ length: options.readers }, (_, index) =>
      readUntil({ cluster, index, files, reads, violations, signal: cutOff.signal }),
    );
    await delay(quietMs);
    const bytesBefore = await chunkBytes(cluster, survivors);
    const killedAtMs = performance.now();
    await cluster.kill(victim);
    if (options.isDeclared) await declareDead(session);
    const copied = await watchCopies({
      cluster,
      survivors,
      bytesBefore,
      lostBytes,
      killedAtMs,
      report: options.report,
    });
    const nodes = survivors.map((node) => ({ node, path: cluster.dataPath(node) }));
    const missing = findMissingCopies(await surveyDisks(nodes, cluster.shape.clusterId), wanted, 3);
    violations.push(...missing);
    await delay(quietMs);
    cutOff.abort();
    await Promise.all(readers);
    return evaluate({ reads, killedAtMs, lostBytes, violations, ...copied, isDeclared: options.isDeclared });
  } finally {
    cutOff.abort();
    await cluster.destroy();
  }
}

async function store(
  cluster: ChaosCluster,
  session: EdgeSession,
  options: RepairOptions,
): Promise<{ readonly files: readonly TestFile[]; readonly wanted: readonly WantedChunk[] }> {
  const folderId = await session.createFolder("repair");
  const wanted: WantedChunk[] = [];
  for (let count = 0; (await chunkBytes(cluster, [victim])) < options.mebibytes * 2 ** 20; count++) {
    const content = makeContent(`repair/${count}`, fileBytes);
    const name = `file-${count}`;
    await session.put({ folderId, name, ...content });
    for (const sha256 of factsOf(content.bytes, chunkSizeBytes).chunkSha256s) wanted.push({ what: name, sha256 });
  }
  const entries = await session.list(folderId);
  const files = entries.map(({ name, sha256, entryId, versionId, sizeBytes }) => ({
    ...{ name, entryId, versionId, sizeBytes },
    sha256: Buffer.from(sha256).toString("hex"),
  }));
  options.report(`${files.length} files stored; waiting for the third copies`);
  const nodes = cluster.ofRole("node").map((node) => ({ node, path: cluster.dataPath(node) }));
  for (let round = 0; ; round++) {
    const missing = findMissingCopies(await surveyDisks(nodes, cluster.shape.clusterId), wanted, 3);
    if (missing.length === 0) return { files, wanted };
    if (round > 60) throw new Error(`copies did not become complete before the kill: ${missing[0]}`);
    await delay(1_000);
  }
}

async function readUntil(reader: {
  readonly cluster: ChaosCluster;
  readonly index: number;
  readonly files: readonly TestFile[];
  readonly reads: Read[];
  readonly violations: string[];
  readonly signal: AbortSignal;
}): Promise<void> {
  const { cluster, index, files, reads, violations, signal } = reader;
  const chance = new SeededChance(1, `reader-${index}`);
  const session = new EdgeSession({ origins: cluster.origins, user: chaosUser, firstGateway: index, signal });
  while (!signal.aborted) {
    const file = chance.pick(files);
    const beganAtMs = performance.now();
    const sha256 = await session.hashContent(file).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (sha256 === undefined) return;
    reads.push({ beganAtMs, tookMs: performance.now() - beganAtMs });
    if (sha256 !== file.sha256) violations.push(`${file.name} was read as ${sha256}`);
    // A reader that looks at what it got, rather than one that only fills the machine.
    await delay(100, undefined, { signal }).catch(() => undefined);
  }
}

async function declareDead(session: EdgeSession): Promise<void> {
  const node = (await statusOf(session))?.nodes.find(({ name }) => name === victim);
  const failNode = create(FailNodeSchema, { nodeId: node?.nodeId ?? 0, reason: "measuring repair", isForced: false });
  const command = create(FleetCommandSchema, { command: { case: "failNode", value: failNode } });
  await session.ask(({ gateway, signal }) =>
    gateway.admin.changeFleet({ requestId: "00000000000000000000000000000fa1", command }, { signal }),
  );
}

/** Bytes of chunk files on the disks of these nodes. */
async function chunkBytes(cluster: ChaosCluster, nodes: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const node of nodes) {
    for (const file of await listChunkFiles(cluster.dataPath(node))) {
      const found = await stat(path.join(cluster.dataPath(node), "chunks", file)).catch(() => undefined);
      bytes += found?.size ?? 0;
    }
  }
  return bytes;
}

/** Until as many bytes came as were lost; no other writes go on meanwhile. */
async function watchCopies(options: {
  readonly cluster: ChaosCluster;
  readonly survivors: readonly string[];
  readonly bytesBefore: number;
  readonly lostBytes: number;
  readonly killedAtMs: number;
  readonly report: (line: string) => void;
}): Promise<{ readonly firstCopyAtMs: number; readonly lastCopyAtMs: number }> {
  const { cluster, survivors, bytesBefore, lostBytes, killedAtMs, report } = options;
  let firstCopyAtMs = killedAtMs;
  for (;;) {
    const beforeLookMs = performance.now();
    const copiedBytes = (await chunkBytes(cluster, survivors)) - bytesBefore;
    // The first copy came after the last look that saw none: that look's time is the earliest it can have been.
    if (copiedBytes === 0) firstCopyAtMs = beforeLookMs;
    if (copiedBytes >= lostBytes) return { firstCopyAtMs, lastCopyAtMs: performance.now() };
    if (performance.now() - killedAtMs > 120_000) {
      report(`only ${copiedBytes} of ${lostBytes} bytes came back`);
      throw new Error("repair did not end within two minutes");
    }
    await delay(50);
  }
}

function evaluate(run: {
  readonly reads: readonly Read[];
  readonly killedAtMs: number;
  readonly firstCopyAtMs: number;
  readonly lastCopyAtMs: number;
  readonly lostBytes: number;
  readonly isDeclared: boolean;
  readonly violations: readonly string[];
}): FigureReport {
  const { reads, killedAtMs, firstCopyAtMs, lastCopyAtMs, lostBytes } = run;
  const between = (fromMs: number, toMs: number): readonly number[] =>
    reads.filter(({ beganAtMs }) => beganAtMs >= fromMs && beganAtMs < toMs).map(({ tookMs }) => tookMs);
  const before = between(0, killedAtMs);
  const during = between(firstCopyAtMs, lastCopyAtMs);
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const ratio = percentile(during, 0.99) / Math.max(1, percentile(before, 0.99));
  return {
    figures: [
      { what: "on the killed node", value: `${(lostBytes / 2 ** 20).toFixed(0)} MiB` },
      {
        what: run.isDeclared
          ? 'kill and administrator\'s "fail" to full copies on disk'
          : "kill to full copies on disk",
        value: seconds(lastCopyAtMs - killedAtMs),
      },
      {
        what: "the copying itself",
        value: `${seconds(lastCopyAtMs - firstCopyAtMs)}, ${(lostBytes / 1000 / (lastCopyAtMs - firstCopyAtMs)).toFixed(0)} MB/s`,
      },
      { what: "reads of 12 MiB before the kill", value: spread(before) },
      { what: "reads between the kill and the first copy", value: spread(between(killedAtMs, firstCopyAtMs)) },
      { what: "reads during the copying", value: spread(during) },
      { what: "reads after it", value: spread(between(lastCopyAtMs, Infinity)) },
      { what: "p99 during the copying, of that before", value: `${ratio.toFixed(1)} times` },
    ],
    violations: run.violations,
  };
}
