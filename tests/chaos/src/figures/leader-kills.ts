import { setTimeout as delay } from "node:timers/promises";
import { ChaosCluster } from "../cluster/chaos-cluster.ts";
import { chaosUser } from "../cluster/cluster-plan.ts";
import { leaderOf, statusOf } from "../leader-of.ts";
import { makeContent } from "../workload/contents.ts";
import { findStateDisputes } from "../verify/master-states.ts";
import { EdgeSession } from "../workload/edge-session.ts";
import { type FigureReport, spread } from "./figure.ts";

/** One file that a client stored. */
interface StoredFile {
  readonly name: string;
  readonly sha256: string;
  readonly beganAtMs: number;
  readonly endedAtMs: number;
  /** Attempts that failed before the one that was acknowledged. */
  readonly failures: readonly string[];
}

/** How often, and under what load. */
export interface LeaderKillOptions {
  readonly kills: number;
  readonly clients: number;
  readonly report: (line: string) => void;
}

/**
 * Kills the leading master again and again while clients store files. The clients ask to keep both when a name is taken:
 * a request that was applied twice would leave a second file behind.
 */
export async function measureLeaderKills(options: LeaderKillOptions): Promise<FigureReport> {
  const { report } = options;
  const cluster = await ChaosCluster.start();
  const stopping = new AbortController();
  const cutOff = new AbortController();
  try {
    const observer = newSession(cluster, 0, cutOff.signal);
    const folderId = await observer.createFolder("leader-kills");
    const stored: StoredFile[] = [];
    const clients = Array.from({ length: options.clients }, (_, index) =>
      storeUntil({ cluster, index, folderId, stored, stopping: stopping.signal, cutOff: cutOff.signal }),
    );
    const killedAtMs: number[] = [];
    for (let kill = 0; kill < options.kills; kill++) {
      await waitForFullQuorum(observer);
      await delay(1_000);
      const leader = await leaderOf(observer);
      if (leader === undefined) throw new Error("no leader among three running masters");
      // Before the signal: whatever is acknowledged to a request begun later came from the next leader.
      killedAtMs.push(performance.now());
      await cluster.kill(leader);
      await delay(1_000);
      await cluster.startProcess(leader);
      report(`${kill + 1}. ${leader} killed; ${stored.length} files stored`);
    }
    await delay(2_000);
    stopping.abort();
    await Promise.all(clients);
    const result = evaluate(stored, killedAtMs, await listAll(observer, folderId));
    return { ...result, violations: [...result.violations, ...(await findStateDisputes(cluster, observer))] };
  } finally {
    cutOff.abort();
    await cluster.destroy();
  }
}

function newSession(
  cluster: ChaosCluster,
  firstGateway: number,
  signal: AbortSignal,
  onFailedAttempt?: (reason: string) => void,
): EdgeSession {
  const base = { origins: cluster.origins, user: chaosUser, firstGateway, signal };
  return new EdgeSession(onFailedAttempt === undefined ? base : { ...base, onFailedAttempt });
}

async function storeUntil(client: {
  readonly cluster: ChaosCluster;
  readonly index: number;
  readonly folderId: bigint;
  readonly stored: StoredFile[];
  readonly stopping: AbortSignal;
  readonly cutOff: AbortSignal;
}): Promise<void> {
  const { cluster, index, folderId, stored, stopping, cutOff } = client;
  let failures: string[] = [];
  const session = newSession(cluster, index, cutOff, (reason) => failures.push(reason));
  for (let count = 0; !stopping.aborted; count++) {
    // Every eighth file is on the chunkservers, the others travel inside the log.
    const content = makeContent(`leader-kills/${index}/${count}`, count % 8 === 0 ? 100_000 : 1_000);
    const name = `file-${index}-${count}`;
    failures = [];
    const beganAtMs = performance.now();
    await session.put({ folderId, name, ...content, conflict: "keepBoth" });
    stored.push({ name, sha256: content.sha256, beganAtMs, endedAtMs: performance.now(), failures });
    await delay(10);
  }
}

async function waitForFullQuorum(observer: EdgeSession): Promise<void> {
  for (let round = 0; ; round++) {
    const masters = (await statusOf(observer))?.masters ?? [];
    if (masters.filter(({ role }) => role === "leader" || role === "follower").length === 3) return;
    if (round > 600) throw new Error("the masters did not come together within a minute");
    await delay(100);
  }
}

async function listAll(observer: EdgeSession, folderId: bigint): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  let cursor: Uint8Array = new Uint8Array();
  do {
    const page = await observer.ask(({ gateway, signal }) =>
      gateway.drive.listFolder({ folderId, limit: 1000, cursor }, { signal }),
    );
    for (const { name, sha256 } of page.entries) files.set(name, Buffer.from(sha256).toString("hex"));
    cursor = page.cursor;
  } while (cursor.length > 0);
  return files;
}

function evaluate(
  stored: readonly StoredFile[],
  killedAtMs: readonly number[],
  listed: ReadonlyMap<string, string>,
): FigureReport {
  const violations: string[] = [];
  const gapsMs: number[] = [];
  for (const atMs of killedAtMs) {
    const answered = stored.filter((file) => file.beganAtMs >= atMs).map((file) => file.endedAtMs - atMs);
    gapsMs.push(Math.min(...answered));
  }
  for (const { name, sha256 } of stored) {
    if (listed.get(name) !== sha256) violations.push(`${name} was acknowledged and is ${listed.get(name) ?? "gone"}`);
  }
  const twice = [...listed.keys()].filter((name) => !/^file-\d+-\d+$/.test(name));
  if (twice.length > 0) violations.push(`applied twice: ${twice.join(", ")}`);
  if (listed.size !== stored.length)
    violations.push(`${listed.size} files are listed, ${stored.length} were acknowledged`);
  const isInFlight = (file: StoredFile): boolean =>
    killedAtMs.some((atMs) => file.beganAtMs < atMs && file.endedAtMs > atMs);
  const repeated = stored.filter((file) => file.failures.length > 0);
  const beyond = repeated.filter((file) => !isInFlight(file));
  const reasons = new Map<string, number>();
  for (const reason of repeated.flatMap((file) => file.failures)) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return {
    figures: [
      { what: "leader killed under load", value: `${killedAtMs.length} times` },
      { what: "kill to the first answer to a write begun after it", value: spread(gapsMs) },
      { what: "files stored meanwhile", value: spread(stored.map((file) => file.endedAtMs - file.beganAtMs)) },
      { what: "requests in flight at a kill", value: String(stored.filter(isInFlight).length) },
      { what: "of these repeated by the client, and then done", value: String(repeated.length - beyond.length) },
      { what: "requests that failed at first though begun after a kill", value: String(beyond.length) },
      { what: "what failed attempts said", value: JSON.stringify(Object.fromEntries(reasons)) },
      { what: "requests applied twice", value: String(twice.length) },
    ],
    violations,
  };
}
