import { setTimeout as delay } from "node:timers/promises";
import { checkLinearizability } from "@holdfast/base/linearizability";
import type { ChaosCluster } from "../cluster/chaos-cluster.ts";
import type { EdgeSession } from "../workload/edge-session.ts";
import { Refused } from "../workload/edge-session.ts";
import { folderModel } from "../workload/folder-model.ts";
import type { Violations } from "../workload/violations.ts";
import type { Workload } from "../workload/workload.ts";
import { type DiskSurvey, surveyDisks } from "./chunk-walker.ts";
import { findStateDisputes } from "./master-states.ts";
import { findMissingCopies, type WantedChunk } from "./copies-check.ts";

/** What the end of a run showed, besides violations. */
export interface FinalFacts {
  readonly files: number;
  readonly hashedBytes: number;
  readonly foldersGone: number;
  /** Entries of the folder that only grows, listed page by page. */
  readonly wideEntries: number;
  readonly historyOperations: number;
  readonly historySteps: number;
  readonly chunks: number;
  readonly copies: number;
  readonly walkedBytes: number;
  readonly quarantined: number;
  /** From the end of all faults until every copy was there. */
  readonly healedMs: number;
}

/** What the end needs. */
export interface FinalCheckOptions {
  readonly cluster: ChaosCluster;
  readonly workload: Workload;
  readonly violations: Violations;
  readonly report: (line: string) => void;
  /** How long the copies may take to be complete. */
  readonly healTimeoutMs: number;
}

/**
 * With all faults over: every file is listed, read and hashed, deleted folders are gone, the whole history is explained
 * by one order, every chunk has its copies on disk, and the masters' tables are equal.
 */
export async function checkEverything(options: FinalCheckOptions): Promise<FinalFacts> {
  const { workload, violations, report } = options;
  const session = workload.newSession();
  const wanted: WantedChunk[] = [];
  let [files, hashedBytes] = [0, 0];
  for (const folder of workload.folders.kept) {
    for (const entry of await workload.list(session, folder, "final")) {
      const what = `${folder.name}/${entry.name}`;
      const sha256 = Buffer.from(entry.sha256).toString("hex");
      files += 1;
      hashedBytes += Number(entry.sizeBytes);
      await hashFile(session, entry, what, violations);
      const facts = workload.factsOf(sha256);
      if (facts === undefined) violations.add("foreign content", `${what} is ${sha256}, which nobody wrote`);
      for (const [index, chunk] of (facts?.chunkSha256s ?? []).entries())
        wanted.push({ what: `${what} chunk ${index}`, sha256: chunk });
    }
  }
  report(`${files} files read back (${(hashedBytes / 2 ** 20).toFixed(0)} MiB); looking for what should be gone`);
  await checkPurged(session, workload, violations);
  const fault = await workload.wide?.findFault(session);
  if (fault !== undefined) violations.add("listed wrongly", `the folder that only grows: ${fault}`);
  const { operations, steps } = checkHistory(workload, violations);
  report(`history of ${operations} operations checked in ${steps} steps; waiting for all copies`);
  const { survey, healedMs } = await waitForCopies(options, wanted);
  for (const line of await findStateDisputes(options.cluster, session)) violations.add("masters' tables differ", line);
  return {
    files,
    hashedBytes,
    foldersGone: workload.folders.purged.length,
    wideEntries: workload.wide?.count ?? 0,
    historyOperations: operations,
    historySteps: steps,
    chunks: wanted.length,
    copies: [...survey.copies.values()].reduce((sum, copies) => sum + copies.length, 0),
    walkedBytes: survey.checkedBytes,
    quarantined: survey.quarantinedCount,
    healedMs,
  };
}

async function hashFile(
  session: EdgeSession,
  entry: Parameters<EdgeSession["hashContent"]>[0] & { readonly sha256: Uint8Array },
  what: string,
  violations: Violations,
): Promise<void> {
  const expected = Buffer.from(entry.sha256).toString("hex");
  const found = await session.hashContent(entry).catch((error: unknown) => {
    if (error instanceof Refused) return error.message;
    throw error;
  });
  if (found !== expected) violations.add("acknowledged bytes lost", `${what}: ${found}, not ${expected}`);
}

async function checkPurged(session: EdgeSession, workload: Workload, violations: Violations): Promise<void> {
  for (const folder of workload.folders.purged) {
    try {
      const entries = await session.list(folder.folderId);
      violations.add("resurrected", `${folder.name} was deleted for ever and lists ${entries.length} files`);
    } catch (error) {
      if (!(error instanceof Refused) || error.reason !== "notFound") throw error;
    }
  }
}

function checkHistory(workload: Workload, violations: Violations): { operations: number; steps: number } {
  const { history } = workload;
  const verdict = checkLinearizability(folderModel, history);
  if (verdict.kind === "notLinearizable") violations.add("not linearizable", verdict.report);
  if (verdict.kind === "undecided") violations.add("undecided history", verdict.keys.join(", "));
  return { operations: history.length, steps: verdict.kind === "linearizable" ? verdict.steps : 0 };
}

async function waitForCopies(
  options: FinalCheckOptions,
  wanted: readonly WantedChunk[],
): Promise<{ readonly survey: DiskSurvey; readonly healedMs: number }> {
  const { cluster, violations, healTimeoutMs } = options;
  const nodes = cluster.ofRole("node").map((node) => ({ node, path: cluster.dataPath(node) }));
  const startedAtMs = performance.now();
  for (;;) {
    const survey = await surveyDisks(nodes, cluster.shape.clusterId);
    const missing = findMissingCopies(survey, wanted, cluster.shape.replication);
    const healedMs = performance.now() - startedAtMs;
    if (missing.length === 0 && survey.bad.length === 0) return { survey, healedMs };
    if (healedMs > healTimeoutMs) {
      for (const finding of missing) violations.add("copies missing", finding);
      for (const { node, file, fault } of survey.bad) violations.add("damaged copy left", `${node} ${file}: ${fault}`);
      return { survey, healedMs };
    }
    await delay(1_000);
  }
}
